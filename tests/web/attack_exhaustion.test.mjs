// Programs that are interrupted, stopped, crowded or without descriptors: they answer late or not at
// all, nobody gets past the gate meanwhile, and all goes on when it is over.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import net from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fastcgiRequest, required } from './support/direct.mjs';
import { isSignedIn, signedIn } from './support/forms.mjs';
import { Browser, raw, request } from './support/http.mjs';
import { Install, alice, bob, plainLatchkey, until } from './support/install.mjs';
import { children, countProcesses, findProgram, findWorkers, killAll } from './support/processes.mjs';
import { makeLibrary } from './support/preload.mjs';
import { secret, servers } from './support/servers.mjs';
import { workers } from './support/stores.mjs';

const page = '/private/page.html';
const names = ['login', 'logout', 'account', 'gate'];
const bare = (cookie) => `GET ${page} HTTP/1.1\r\nHost: h\r\nAccept: text/html\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`;

async function start(serve) {
    const install = new Install({ workers, throttle: { attempts: 1000 } });
    const webs = [];
    const stop = async () => {
        for (const web of webs) await web.stop();
        assert.equal(await install.close(), 0);
    };
    const find = () => Object.fromEntries(names.map((name) => [name, findWorkers(install, name)]));
    try {
        await install.init().serve(serve?.(install));
        for (const server of servers) webs.push(await server.start(install));
        await until('the workers', () => names.every((name) => find()[name].length === countProcesses(name, workers[name])));
    } catch (error) {
        await stop();
        throw error;
    }
    return { install, webs, find, stop };
}

// Everything that people do, once.
async function liveADay(at, web, user) {
    const browser = new Browser(web.port);
    assert.equal((await browser.signIn({ ...user, password: 'wrong' })).status, 403);
    assert.equal((await browser.signIn(user)).status, 303);
    const answer = await browser.fetch(page);
    assert.ok(answer.status === 200 && answer.body.includes(secret));
    for (const target of ['/auth/account', '/auth/account/sessions', '/auth/account/activity', '/auth/session']) {
        assert.equal((await browser.fetch(target)).status, 200, target);
    }
    const { cookie } = browser;
    assert.equal((await browser.signOut()).headers.location, '/auth/login?signed-out');
    assert.equal((await request(web.port, page, { headers: { cookie } })).status, 303);
}

describe('programs that are interrupted a thousand times a second', () => {
    let at;
    before(async () => {
        at = await start((install) => ({ command: plainLatchkey, env: { LD_PRELOAD: makeLibrary(install.folder, 'tests/web/support/interrupt.c') } }));
    });
    after(() => at?.stop());

    it('do what they do otherwise, and complain of nothing', async () => {
        const wakeups = (pid) => Number(/^voluntary_ctxt_switches:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
        const before = at.find();
        const mark = at.install.log.length;
        for (let i = 0; i < 10; i++) {
            await Promise.all(at.webs.flatMap((web) => [alice, bob].map((user) => liveADay(at, web, user))));
        }
        const env = { ...at.install.env, LD_PRELOAD: `${at.install.folder}/interrupt.so` };
        for (const args of [['user', 'list'], ['secret', 'rotate'], ['session', 'revoke-all'], ['audit', 'verify']]) {
            const { status, stderr } = spawnSync(plainLatchkey, args, { env, encoding: 'utf8' });
            assert.deepEqual([status, stderr], [0, ''], args.join(' '));
        }
        assert.deepEqual(at.find(), before, 'no worker was replaced');
        assert.doesNotMatch(at.install.log.slice(mark).replace(/.*authentication failure.*/g, ''), /warning|error/);
        // The control: workers that have nothing to do are woken all the time.
        const pids = Object.values(before).flat();
        const counts = pids.map(wakeups);
        await sleep(500);
        for (const [i, pid] of pids.entries()) assert.ok(wakeups(pid) - counts[i] > 100, `${wakeups(pid) - counts[i]} times`);
    });
});

describe('programs that are short of what they need', () => {
    let at, sessions;
    before(async () => {
        at = await start();
        sessions = [];
        for (const web of at.webs) sessions.push(await signedIn(web.port));
    });
    after(() => at?.stop());

    async function assertWell(within = 3000) {
        for (const [i, web] of at.webs.entries()) {
            const begun = Date.now();
            assert.equal((await sessions[i].fetch(page)).status, 200);
            assert.equal((await request(web.port, page)).status, 303);
            assert.ok(await isSignedIn(await signedIn(web.port, bob)));
            assert.ok(Date.now() - begun < within, `${Date.now() - begun} ms`);
        }
    }

    // What a web server says within a short time, to somebody and to nobody; '' where it waits.
    const ask = (web, cookie) => raw(web.port, bare(cookie), 500).catch(() => '');

    async function assertNobodyPasses() {
        await Promise.all(at.webs.flatMap((web) => Array.from({ length: 6 }, async () => {
            const answer = await ask(web, '');
            assert.doesNotMatch(answer, /^HTTP\/1\.1 2/);
            assert.ok(!answer.includes(secret));
        })));
    }

    it('because the gate is stopped: nobody passes, and who may does when it goes on', async () => {
        const gate = [findProgram(at.install, 'gate'), ...at.find().gate];
        killAll(gate, 'SIGSTOP');
        try {
            await assertNobodyPasses();
            for (const [i, web] of at.webs.entries()) {
                assert.doesNotMatch(await ask(web, sessions[i].cookie), /^HTTP\/1\.1 2/);
                assert.equal((await request(web.port, '/auth/login')).status, 200);
            }
        } finally {
            killAll(gate, 'SIGCONT');
        }
        await until('the gate', async () => (await sessions[0].fetch(page)).status === 200);
        await assertWell();
    });

    it('because all programs but the gate are stopped: who is signed in passes', async () => {
        const others = names.filter((name) => name !== 'gate').flatMap((name) => [findProgram(at.install, name), ...at.find()[name]]);
        killAll(others, 'SIGSTOP');
        try {
            for (let i = 0; i < 20; i++) {
                assert.equal((await sessions[i % 2].fetch(page)).status, 200);
                assert.equal((await request(at.webs[i % 2].port, page)).status, 303);
            }
        } finally {
            killAll(others, 'SIGCONT');
        }
        await assertWell();
    });

    it('because they may open nothing more: nobody passes, and all go on', async () => {
        const limit = (pid, soft) => {
            const { status, stderr } = spawnSync('prlimit', ['--pid', String(pid), `--nofile=${soft}:`], { encoding: 'utf8' });
            assert.equal(status, 0, stderr);
        };
        const usual = Number(/^Max open files +(\d+)/m.exec(readFileSync(`/proc/${at.find().gate[0]}/limits`, 'utf8'))[1]);
        const before = at.find();
        const pids = Object.values(before).flat();
        const lowestFree = (pid) => {
            const used = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
            return Array.from({ length: used.size + 1 }, (_, i) => i).find((number) => !used.has(number));
        };
        await sleep(300); // whatever is still open would leave room when it closes
        const mark = at.install.log.length;
        for (const pid of pids) limit(pid, lowestFree(pid));
        const crowd = names.flatMap((name) => Array.from({ length: 20 }, () =>
            net.connect(at.install.socket(name)).on('error', () => {})));
        try {
            for (let i = 0; i < 4; i++) await assertNobodyPasses();
            for (const name of names) {
                const complaint = new RegExp(`${name}\\[\\d+\\]: error: connections cannot be accepted: there is no room`);
                await until(`${name} to complain`, () => complaint.test(at.install.log.slice(mark)));
            }
        } finally {
            for (const socket of crowd) socket.destroy();
            for (const pid of pids) limit(pid, usual);
        }
        await until('all to go on', async () => {
            const answers = await Promise.all(at.webs.map((web, i) => ask(web, sessions[i].cookie)));
            return answers.every((answer) => answer.includes(secret));
        }, 14000);
        await assertWell();
        assert.deepEqual(at.find(), before, 'no worker was replaced');
    });

    it('because of 1,100 connections to each, more than select(2) could count: all others are served', async () => {
        const before = at.find();
        const peers = names.flatMap((name) => Array.from({ length: 1100 }, (_, i) => {
            const socket = net.connect(at.install.socket(name)).on('error', () => {});
            if (i % 2 === 0) socket.write(fastcgiRequest(required).subarray(0, 1 + i % 40));
            return socket;
        }));
        try {
            await sleep(200);
            for (let i = 0; i < 3; i++) await assertWell(6000);
        } finally {
            for (const socket of peers) socket.destroy();
        }
        await assertWell();
        assert.deepEqual(at.find(), before, 'no worker was replaced');
    });

    it('because of peers that are silent or slow in any part of a request: these are let go', async () => {
        const post = { ...required, REQUEST_METHOD: 'POST', CONTENT_TYPE: 'application/x-www-form-urlencoded', CONTENT_LENGTH: '1000' };
        const whole = fastcgiRequest({ ...post, REQUEST_URI: '/auth/login', SCRIPT_NAME: '/auth/login' });
        const body = Buffer.concat([whole.subarray(0, -8), Buffer.from([1, 5, 0, 1, 3, 232, 0, 0]), Buffer.alloc(990, 'a')]);
        // How much comes at once; the rest comes byte by byte, a few in a second.
        const begins = [0, 1, 7, 8, 15, 24, 100, whole.length - 9, whole.length - 8, whole.length - 1, body.length - 900];
        const begun = Date.now();
        const peers = names.flatMap((name) => begins.map((length) => {
            const peer = { socket: net.connect(at.install.socket(name)), at: length, closed: 0, bytes: 0 };
            peer.socket.on('error', () => {}).on('data', (part) => { peer.bytes += part.length; });
            peer.socket.on('close', () => { peer.closed = Date.now() - begun; });
            peer.socket.write(body.subarray(0, length));
            return peer;
        }));
        const dripping = setInterval(() => {
            for (const peer of peers.filter(({ closed, at: sent }) => !closed && sent > 0)) {
                peer.socket.write(body.subarray(peer.at, ++peer.at));
            }
        }, 400);
        try {
            for (let i = 0; i < 4; i++) await assertWell();
            await until('the end of the slow', () => peers.every(({ closed }) => closed > 0), 14000);
        } finally {
            clearInterval(dripping);
            for (const { socket } of peers) socket.destroy();
        }
        for (const { bytes } of peers) assert.equal(bytes, 0);
        assert.ok(Math.max(...peers.map(({ closed }) => closed)) < 13000, 'ten seconds, and no more for what drips');
        assert.ok(children(at.install.service.pid).length === names.length);
    });
});
