// Whoever ends sessions may be killed at any of its system calls: what was answered holds, and what
// was not is one or the other, the same on every worker.
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { required } from './support/direct.mjs';
import { csrfOf, formType, signedIn } from './support/forms.mjs';
import { encodeForm } from './support/http.mjs';
import { Service, alice, bob, plainLatchkey, plainPrograms } from './support/install.mjs';
import { replay, replayEverywhere, warm } from './support/replay.mjs';
import { forEachStore } from './support/stores.mjs';

// Runs a program, { words, env, input }, after other words.
async function run(at, before, { words, env = {}, input }) {
    const all = [...before, ...words];
    const service = new Service(all[0], all.slice(1), {
        env: { ...at.install.env, ...env }, stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    service.child.stdin?.on('error', () => {}).end(input);
    return { status: await service.ended, output: service.output };
}

// The command as it is installed: a sanitized one cannot be traced.
const command = (...args) => ({ words: [plainLatchkey, ...args] });

// A sign-out, by the program that a web server would start for it.
async function signOut({ browser, copied }) {
    const input = encodeForm({ csrf: await csrfOf(browser) });
    return {
        words: [path.join(plainPrograms, 'logout')], input,
        env: {
            ...required, REQUEST_METHOD: 'POST', REQUEST_URI: '/auth/logout', SCRIPT_NAME: '/auth/logout',
            HTTP_COOKIE: copied, CONTENT_TYPE: formType, CONTENT_LENGTH: String(input.length),
        },
    };
}

async function listSessions(at, user) {
    const { status, output } = await run(at, [], command('session', 'list', user.name, '--json'));
    assert.equal(status, 0, output);
    return JSON.parse(output);
}

// A session that every worker knows.
async function enter(at, index) {
    const browser = await signedIn(at.webs[index % at.webs.length].port);
    const copied = browser.cookie;
    await warm(at, copied);
    const [{ id }, ...others] = await listSessions(at, alice);
    assert.deepEqual(others, []);
    return { browser, copied, id };
}

// The calls of a program in their order, as { call, count }: the count-th of its name. From the
// first on that touches something of ours.
async function traceCalls(at, program) {
    const file = path.join(at.install.folder, 'trace');
    const { status, output } = await run(at, ['strace', '-f', '-o', file], program);
    assert.equal(status, 0, output);
    const counts = new Map();
    const calls = [];
    for (const [, call, rest] of readFileSync(file, 'utf8').matchAll(/^\d+ +(\w+)\((.*)$/gm)) {
        counts.set(call, (counts.get(call) ?? 0) + 1);
        if (calls.length > 0 || rest.includes(at.install.folder)) calls.push({ call, count: counts.get(call), rest });
    }
    rmSync(file);
    return calls;
}

const changes = ({ call, rest }) => /F_(WR|UN)LCK/.test(rest) ||
    /^(p?write|fdatasync|fsync|ftruncate|flock|rename|unlink|munmap|exit)/.test(call);

// What is left to find out by a kill: those calls that change something or let it go, every `step`-th
// of them, and some of the others, which leave all as the call before did.
function chooseKills(calls, step) {
    const begin = calls.findIndex(({ rest }) => rest.includes('/generation"'));
    assert.ok(begin > 0 && begin < calls.length - 20);
    // The log's frames are written in two calls, head (of 24 bytes) and page: half a frame is none.
    const changing = calls.slice(begin).filter((one) => changes(one) && !/", 24, \d+\)/.test(one.rest));
    const chosen = [
        ...changing.filter(({ call, rest }, i) => call !== 'pwrite64' || rest.includes('LKgen') || i % step === 0),
        ...calls.filter((one, i) => i % 9 === 0 && !changes(one)),
        ...changing.slice(-6),
    ];
    return calls.filter((one) => chosen.includes(one));
}

const writers = [
    { name: 'session revoke-user', step: 1, make: () => command('session', 'revoke-user', alice.name), answer: /ended/ },
    { name: 'session revoke', step: 3, part: 2, make: ({ id }) => command('session', 'revoke', id), answer: /ended/ },
    { name: 'a sign-out', step: 3, make: signOut, answer: /^Status: 303 [^]*\r\n\r\n/m },
];

forEachStore('killed at any system call', (at) => {
    for (const { name, step, part = 1, make, answer } of writers) {
        it(`${name} has ended the session or not, and everybody agrees`, async () => {
            const bystander = (await signedIn(at.webs[0].port, bob)).cookie;
            await warm(at, bystander);
            const calls = await traceCalls(at, await make(await enter(at, 0)));
            const kills = chooseKills(calls, step).filter((_, i, all) => i % part === 0 || i === all.length - 1);
            const tally = { killed: 0, ended: 0, answered: 0 };
            for (const [index, { call, count }] of kills.entries()) {
                const what = `${call} ${count}`;
                const session = await enter(at, index);
                const { browser, copied } = session;
                const { status, output } = await run(at,
                    ['strace', '-f', '-o', '/dev/null', '-e', `inject=${call}:signal=KILL:when=${count}`],
                    await make(session));
                const answered = status === 0 || answer.test(output);
                const told = await replayEverywhere(at, copied, 100);
                const alive = (await listSessions(at, alice)).length > 0;
                assert.deepEqual(told, [alive], what);
                assert.ok(!(answered && alive), what);
                tally.killed += status === 'SIGKILL';
                tally.ended += !alive;
                tally.answered += answered;
                assert.deepEqual(await replay(at, bystander, 8), [true], what);
                // Then all is as ever.
                const next = alive ? browser : await signedIn(at.webs[index % at.webs.length].port);
                const cookie = next.cookie;
                assert.deepEqual(await replay(at, cookie, 8), [true], what);
                assert.equal((await next.signOut()).status, 303, what);
                assert.deepEqual(await replay(at, cookie, 16), [false], what);
                assert.deepEqual(await replay(at, copied, 16), [false], what);
            }
            // The kills fell on both sides of what matters.
            assert.ok(tally.killed > kills.length * 0.8, JSON.stringify(tally));
            assert.ok(tally.ended > 2 && tally.ended < kills.length - 2, JSON.stringify(tally));
            assert.ok(tally.answered > 0, JSON.stringify(tally));
        });
    }
});
