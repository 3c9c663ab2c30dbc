// A cookie sent again and again, to every worker of every program that asks who it is.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { raw } from './http.mjs';
import { isAlive, until } from './install.mjs';
import { countProcesses, findWorkers, hasPorter, killAll } from './processes.mjs';
import { secret } from './servers.mjs';

// What each program answers to whom. The gate is asked as by a script: pages it may send through the
// login page for a renewed token.
export const pages = [
    { program: 'gate', target: '/private/page.html', accept: 'application/json', alive: 200, dead: 401 },
    { program: 'account', target: '/auth/session', accept: 'application/json', alive: 200, dead: 401 },
    { program: 'login', target: '/auth/login', alive: 303, dead: 200 },
];

const atOnce = 4;

// Calls `task` for 0 to count - 1, some at a time.
export async function many(count, task) {
    let next = 0;
    const lane = async () => {
        while (next < count) await task(next++);
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, count) }, lane));
}

// One request over a connection of its own.
export async function get(port, target, cookie, accept = 'text/html') {
    const answer = await raw(port, `GET ${target} HTTP/1.1\r\nHost: localhost\r\nAccept: ${accept}\r\n` +
        `Cookie: ${cookie}\r\nConnection: close\r\n\r\n`);
    const status = /^HTTP\/1\.1 (\d{3}) /.exec(answer);
    assert.ok(status, `no answer to ${target}`);
    return { status: Number(status[1]), text: answer };
}

// Page `index` of those asked through server `index` of all: true when it knows who it is, false when it does not,
// the status when it tells neither.
async function ask(at, cookie, index, asked) {
    const page = asked[index % asked.length];
    const web = at.webs[Math.floor(index / asked.length) % at.webs.length];
    const { status, text } = await get(web.port, page.target, cookie, page.accept);
    const tells = { [page.alive]: true, [page.dead]: false }[status] ?? status;
    assert.equal(text.includes(secret), page.program === 'gate' && tells === true, `${web.name} ${page.target}`);
    return tells;
}

// What the answers told: a list of the different ones.
export async function replay(at, cookie, times, asked = pages) {
    const told = new Set();
    await many(times, async (index) => told.add(await ask(at, cookie, index, asked)));
    return [...told];
}

const isStopped = (pid) => /\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

// The workers of each program that asks, once all are there. Where there is a porter, he alone
// answers pages: such a program is left out.
function findAsking(install) {
    const names = ['gate', 'account', 'login'];
    const found = names.map((name) => findWorkers(install, name));
    return names.every((name, i) => found[i].length === countProcesses(name, install.settings.workers[name])) &&
        found.filter((_, i) => !hasPorter(names[i]));
}

// Calls `task` while one worker of each program runs and the others are stopped, until each worker
// has had its turn.
async function withEachWorker(install, task) {
    const programs = await until('the workers', () => findAsking(install));
    const rounds = Math.max(...programs.map((pids) => pids.length));
    for (let round = 0; round < rounds; round++) {
        const rest = programs.flatMap((pids) => pids.filter((_, i) => i !== round % pids.length));
        killAll(rest, 'SIGSTOP');
        try {
            while (!rest.every((pid) => !isAlive(pid) || isStopped(pid))) await sleep(1);
            await task(rounds);
        } finally {
            killAll(rest, 'SIGCONT');
        }
    }
}

// Replays at least so many times, to each worker of each program in turn.
export async function replayEverywhere(at, cookie, times, asked = pages) {
    const told = new Set();
    const atLeast = asked.length * at.webs.length;
    await withEachWorker(at.install, async (rounds) => {
        const each = Math.max(Math.ceil(times / rounds), atLeast);
        for (const one of await replay(at, cookie, each, asked)) told.add(one);
    });
    return [...told];
}

export async function assertDead(at, cookie, times = 200, what = '') {
    assert.deepEqual(await replayEverywhere(at, cookie, times), [false], what);
}

export async function assertAlive(at, cookie, times = 48, what = '') {
    assert.deepEqual(await replayEverywhere(at, cookie, times), [true], what);
}

// Lets every worker know the session: they remember from the second time on.
export const warm = (at, cookie) => assertAlive(at, cookie, 48);
