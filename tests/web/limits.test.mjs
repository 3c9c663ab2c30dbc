// Sessions end in time, whatever the clock does; the gate answers, whatever its peers do; and a
// sign-out that was answered holds, whatever runs beside it.
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import net from 'node:net';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Clock, day, hour, minute, noted } from './support/clock.mjs';
import { fastcgiRequest, required } from './support/direct.mjs';
import { Browser, encodeForm, formFields, request } from './support/http.mjs';
import { Install, alice, bob, plainLatchkey, until } from './support/install.mjs';
import { children, findWorkers } from './support/processes.mjs';
import { lighttpd, secret, servers } from './support/servers.mjs';


const isIn = async (browser) => {
    const answer = await browser.fetch('/private/page.html', { headers: { cookie: browser.cookie } });
    assert.ok([200, 303].includes(answer.status), String(answer.status));
    assert.equal(answer.body.includes(secret), answer.status === 200);
    return answer.status === 200;
};

async function signIn(web, user = alice, more = {}) {
    const browser = new Browser(web.port);
    const answer = await browser.signIn(user, more);
    assert.equal(answer.status, 303);
    return Object.assign(browser, { answer });
}

describe('as time goes by', () => {
    let install;
    let clock;
    let web;

    beforeEach(async () => {
        install = new Install({ workers: { login: 1, gate: 2 } }).init();
        clock = new Clock(install);
        await install.serve({ command: plainLatchkey, env: clock.env });
        web = await lighttpd.start(install);
    });
    afterEach(async () => {
        await web?.stop();
        assert.equal(await install?.close(), 0);
    });

    it('a session ends two hours after its last use, and each use counts', async () => {
        const used = await signIn(web);
        const idle = await signIn(web, bob);
        clock.pass(2 * hour - 2 * minute);
        assert.ok(await isIn(used));
        assert.equal((await used.fetch('/auth/account')).status, 200);
        clock.pass(3 * minute);
        assert.ok(!await isIn(idle));
        assert.equal((await idle.fetch('/auth/session')).status, 401);
        assert.ok(await isIn(used));
        await noted({ install, clock }, alice);
        // The account page is a use too.
        clock.pass(2 * hour - 2 * minute);
        assert.equal((await used.fetch('/auth/account')).status, 200);
        await noted({ install, clock }, alice);
        clock.pass(2 * hour - 2 * minute);
        assert.ok(await isIn(used));
        clock.pass(2 * hour + minute);
        for (let i = 0; i < 8; i++) assert.ok(!await isIn(used));
    });

    it('a session ends a day after the sign-in, however much it is used', async () => {
        const browser = await signIn(web);
        for (let i = 0; i < 23; i++) {
            clock.pass(hour);
            assert.ok(await isIn(browser), `hour ${i + 1}`);
            await noted({ install, clock }, alice);
        }
        clock.pass(hour - minute);
        assert.ok(await isIn(browser));
        clock.pass(2 * minute);
        assert.ok(!await isIn(browser));
        assert.equal((await browser.fetch('/auth/account')).status, 303);
    });

    it('the end that is told is the end', async () => {
        for (const [after, alive] of [[-2, true], [1, false]]) {
            const browser = await signIn(web);
            const { expires } = JSON.parse((await browser.fetch('/auth/session')).body);
            clock.set(expires + after);
            assert.equal(await isIn(browser), alive);
        }
    });

    it('who is remembered stays for thirty days, used or not, and no longer', async () => {
        const [unused, used] = [await signIn(web, alice, { remember: '1' }), await signIn(web, bob, { remember: '1' })];
        const forgotten = await signIn(web);
        assert.match(unused.answer.cookies[0], /; Max-Age=2592000(;|$)/);
        assert.doesNotMatch(forgotten.answer.cookies[0], /Max-Age|Expires/i);
        for (let i = 0; i < 29; i++) {
            clock.pass(day);
            assert.ok(await isIn(used));
        }
        clock.pass(day - minute);
        assert.ok(!await isIn(forgotten));
        assert.ok(await isIn(unused));
        assert.ok(await isIn(used));
        clock.pass(2 * minute);
        assert.ok(!await isIn(unused));
        assert.ok(!await isIn(used));
    });

    it('a login form may be sent for a day', async () => {
        for (const [age, status] of [[day - 5 * minute, 303], [day + minute, 403]]) {
            const browser = new Browser(web.port);
            const fields = formFields((await browser.fetch('/auth/login')).body);
            clock.pass(age);
            const answer = await browser.post('/auth/login', { ...fields, username: alice.name, password: alice.password });
            assert.equal(answer.status, status);
            if (status === 403) {
                assert.match(answer.body, /open for too long/);
                // The form that came with the refusal is fresh.
                assert.equal((await browser.post('/auth/login', {
                    ...formFields(answer.body), username: alice.name, password: alice.password,
                })).status, 303);
            }
        }
    });

    it('a clock that steps back a little ends nothing', async () => {
        const browser = await signIn(web);
        clock.pass(-45);
        assert.ok(await isIn(browser));
        assert.ok(await isIn(await signIn(web, bob)));
    });

    it('sessions of the future do not count, and nobody stays longer for them', async () => {
        const before = await signIn(web);
        clock.pass(10 * 365 * day);
        assert.ok(!await isIn(before));
        const future = await signIn(web, bob, { remember: '1' });
        assert.ok(await isIn(future));
        clock.pass(-10 * 365 * day);
        assert.ok(!await isIn(future));
        await until('the log', () => /in the future: refused; is the clock right\?/.test(install.log));
        // The browser is not shut out: it gets a new form.
        assert.equal((await future.signIn(bob)).status, 303);
        assert.ok(await isIn(future));
    });

    it('a clock that steps back an hour and is set right again leaves sessions as they were', async () => {
        const browser = await signIn(web);
        clock.pass(-hour);
        assert.ok(!await isIn(browser));
        const meanwhile = await signIn(web, bob);
        assert.ok(await isIn(meanwhile));
        clock.pass(hour);
        assert.ok(await isIn(browser));
        assert.ok(await isIn(meanwhile));
        clock.pass(2 * hour + minute);
        assert.ok(!await isIn(browser));
        assert.ok(!await isIn(meanwhile));
    });

    it('with a clock that was never set nobody is signed in, until it is', async () => {
        const browser = await signIn(web);
        for (const time of [0, 1, Date.UTC(2023, 11, 31) / 1000]) {
            clock.set(time);
            const page = await browser.fetch('/private/page.html');
            assert.equal(page.status, 503);
            assert.ok(!page.body.includes(secret));
            const login = await request(web.port, '/auth/login');
            assert.equal(login.status, 503);
            assert.deepEqual(login.cookies, []);
            assert.ok(login.headers['retry-after']);
        }
        await until('the log', () => /the clock stands before 2024: set it/.test(install.log));
        clock.shift(0);
        assert.ok(await isIn(browser));
    });

    it('the years 2038, 2106 and later are years like others', async () => {
        for (const year of [2038, 2106, 2107, 2262, 2500]) {
            clock.set(Date.UTC(year, 1, 8) / 1000);
            const browser = await signIn(web);
            assert.ok(await isIn(browser), String(year));
            const { expires } = JSON.parse((await browser.fetch('/auth/session')).body);
            assert.ok(Math.abs(expires - clock.now - 2 * hour) < 30, String(year));
            assert.match((await browser.fetch('/auth/account')).body, new RegExp(`${year}-02-08`));
            clock.pass(2 * hour + minute);
            assert.ok(!await isIn(browser), String(year));
        }
    });
});

describe('limits of seconds', () => {
    let install;
    const webs = [];

    before(async () => {
        install = await new Install({ session: { secure_cookie: 'no', idle: '2s', lifetime: '5s', remember: '6s' } })
            .init().serve();
        for (const server of servers) webs.push(await server.start(install));
    });
    after(async () => {
        for (const web of webs) await web.stop();
        assert.equal(await install?.close(), 0);
    });

    it('hold behind each web server, on every worker', async () => {
        await Promise.all(webs.map(async (web) => {
            const [idle, used] = [await signIn(web), await signIn(web, bob)];
            const remembered = await signIn(web, alice, { remember: 'on' });
            const begun = Date.now();
            // Sessions count whole seconds, so that five may be over after four.
            for (let rest = 3500; rest > 0; rest = 3500 - (Date.now() - begun)) {
                assert.ok(await isIn(used), `${Date.now() - begun} ms`);
                await sleep(Math.min(400, rest));
            }
            assert.ok(await isIn(remembered));
            assert.ok(!await isIn(idle));
            await sleep(begun + 6100 - Date.now());
            for (let i = 0; i < 8; i++) assert.ok(!await isIn(used));
            await sleep(begun + 7100 - Date.now());
            assert.ok(!await isIn(remembered));
        }));
    });
});

describe('under pressure', () => {
    let install;
    const webs = [];
    const workers = { login: 2, logout: 1, account: 1, gate: 2 };

    before(async () => {
        install = await new Install({ workers }).init().serve();
        for (const server of servers) webs.push(await server.start(install));
    });
    after(async () => {
        for (const web of webs) await web.stop();
        assert.equal(await install?.close(), 0);
    });

    // Connections that the processes hold.
    const countSockets = (pids) => pids.map((pid) => readdirSync(`/proc/${pid}/fd`).filter((number) => {
        try {
            return readlinkSync(`/proc/${pid}/fd/${number}`).startsWith('socket:');
        } catch {
            return false; // closed meanwhile
        }
    }).length);
    const countOwn = () => countSockets(['gate', 'login', 'logout'].flatMap((name) => findWorkers(install, name)));

    it('silent and slow peers of the gate hold nobody up, and are let go', async () => {
        const browsers = [];
        for (const web of webs) browsers.push(await signIn(web));
        const before = countOwn();
        const whole = fastcgiRequest(required);
        const peers = Array.from({ length: 200 }, (_, i) => {
            const peer = { socket: net.connect(install.socket('gate')), closed: false, bytes: 0 };
            peer.socket.on('error', () => {}).on('data', (part) => { peer.bytes += part.length; });
            peer.socket.on('close', () => { peer.closed = true; });
            if (i % 4 === 1) peer.socket.write(whole.subarray(0, 5));
            if (i % 4 === 2) peer.socket.write(whole.subarray(0, whole.length - 1));
            return peer;
        });
        // A few are slow and honest; they come last, so that they are not crowded out.
        const slow = peers.filter((_, i) => i >= 180 && i % 4 === 3);
        const sending = slow.map(async ({ socket }) => {
            for (let at = 0; at < whole.length; at += 8) {
                socket.write(whole.subarray(at, at + 8));
                await sleep(20);
            }
        });
        for (let i = 0; i < 100; i++) {
            for (const [k, web] of webs.entries()) {
                const begun = Date.now();
                assert.ok(await isIn(browsers[k]));
                assert.equal((await request(web.port, '/private/page.html')).status, 303);
                assert.ok(Date.now() - begun < 3000);
            }
        }
        await Promise.all(sending);
        await until('the answers to the slow', () => slow.every(({ bytes, closed }) => bytes > 0 && closed));
        await until('the end of the silent', () => peers.every(({ closed }) => closed), 14000);
        for (const peer of peers.filter((one) => !slow.includes(one))) assert.equal(peer.bytes, 0);
        await until('the end of their connections', () => countOwn().every((count, i) => count <= before[i]));
    });

    for (const [i, server] of servers.entries()) {
        it(`uploads that are closed half-way leave ${server.name} and the programs as they were`, async () => {
            const web = webs[i];
            const browser = await signIn(web);
            const countAll = () => [...countOwn(), ...countSockets([web.pid, ...children(web.pid).map(({ pid }) => pid)])];
            const before = countAll();
            const half = (target, headers) => new Promise((resolve) => {
                const socket = net.connect({ port: web.port, host: '127.0.0.1', allowHalfOpen: true });
                let answer = '';
                socket.on('error', resolve).on('close', () => resolve(answer)).on('end', () => socket.destroy());
                socket.setEncoding('latin1').on('data', (text) => { answer += text; });
                socket.setTimeout(15000, () => socket.destroy());
                socket.end(`POST ${target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n` +
                    `Content-Type: application/x-www-form-urlencoded\r\n${headers}\r\nusername=alice&pass`);
            });
            for (let round = 0; round < 5; round++) {
                await Promise.all(Array.from({ length: 20 }, (_, k) => [
                    half('/auth/login', ''), half('/auth/logout', `Cookie: ${browser.cookie}\r\n`),
                    half('/private/echo.cgi', ''), half('/private/echo.cgi', `Cookie: ${browser.cookie}\r\n`),
                ][k % 4]));
            }
            assert.ok(await isIn(browser));
            assert.ok(await isIn(await signIn(web, bob)));
            await until('the end of their connections', () => countAll().every((count, k) => count <= before[k]));
        });

        it(`many who sign in at once behind ${server.name} get a session each`, async () => {
            install.do(['session', 'revoke-all']);
            const browsers = await Promise.all(Array.from({ length: 24 }, (_, k) =>
                signIn(webs[i], k % 2 === 0 ? alice : bob)));
            assert.equal(new Set(browsers.map(({ cookie }) => cookie)).size, 24);
            const told = await Promise.all(browsers.map(async (browser) =>
                JSON.parse((await browser.fetch('/auth/session')).body).user));
            assert.deepEqual(told, browsers.map((_, k) => (k % 2 === 0 ? 'alice' : 'bob')));
            assert.equal(JSON.parse(install.do(['session', 'list', '--json'])).length, 24);
        });

        it(`a form that is sent twice at once behind ${server.name} gives two sessions, not one or none`, async () => {
            const browser = new Browser(webs[i].port);
            const fields = formFields((await browser.fetch('/auth/login')).body);
            const send = () => request(webs[i].port, '/auth/login', {
                method: 'POST', body: encodeForm({ ...fields, username: alice.name, password: alice.password }),
                headers: { cookie: browser.cookie, 'content-type': 'application/x-www-form-urlencoded' },
            });
            const answers = await Promise.all([send(), send()]);
            const cookies = answers.map((answer) => answer.cookies[0].split(';')[0]);
            assert.notEqual(cookies[0], cookies[1]);
            for (const cookie of cookies) {
                assert.equal((await request(webs[i].port, '/private/page.html', { headers: { cookie } })).status, 200);
            }
        });

        it(`no check that begins after the answer to a sign-out passes behind ${server.name}, 500 times`, async () => {
            const { port } = webs[i];
            const shown = new Browser(port);
            const body = encodeForm({
                ...formFields((await shown.fetch('/auth/login')).body), username: alice.name, password: alice.password,
            });
            const form = (target, cookie, content) => request(port, target, {
                method: 'POST', body: content, headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
            });
            const check = async (cookie) => (await request(port, '/private/page.html', { headers: { cookie } })).status;
            let before = 0;
            const round = async () => {
                const signedIn = await form('/auth/login', shown.cookie, body);
                const cookie = signedIn.cookies[0].split(';')[0];
                const page = await request(port, '/auth/logout', { headers: { cookie } });
                const early = [check(cookie), check(cookie)];
                const late = form('/auth/logout', cookie, encodeForm(formFields(page.body))).then((answer) => {
                    assert.equal(answer.status, 303);
                    return Promise.all([check(cookie), check(cookie), check(cookie)]);
                });
                early.push(check(cookie));
                assert.deepEqual(await late, [303, 303, 303]);
                for (const status of await Promise.all(early)) {
                    assert.ok([200, 303].includes(status), String(status));
                    before += status === 200 ? 1 : 0;
                }
            };
            const lane = async () => {
                for (let k = 0; k < 125; k++) await round();
            };
            await Promise.all([lane(), lane(), lane(), lane()]);
            // The control: checks that were in time did pass.
            assert.ok(before > 100, String(before));
        });
    }
});
