// Whoever fails too often has to wait, and nobody else, through each web server.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Browser } from './support/http.mjs';
import { Install, alice, bob } from './support/install.mjs';
import { nginx, servers } from './support/servers.mjs';

const free = 5;
const strangersMax = 48; // who wait for a worker at once
const deviceName = 'latchkey-device';

// One attempt from an address, as a proxy tells it.
const attempt = (browser, username, password, address) =>
    browser.submit('/auth/login', { username, password }, { 'x-forwarded-for': address });

// Attempts one after the other, each from a browser that knows nothing; their statuses.
async function attempts(web, times, username, password, address) {
    const statuses = [];
    for (let i = 0; i < times; i++) {
        statuses.push((await attempt(new Browser(web.port), username, password, address)).status);
    }
    return statuses;
}

const fail = async (web, username, address) =>
    assert.deepEqual(await attempts(web, free, username, 'wrong', address), Array(free).fill(403));

// What differs by itself is left out.
const comparable = (body, name) => body.replace(/name="csrf" value="[^"]*"/, '').replaceAll(`value="${name}"`, '');

for (const server of servers) {
    describe(`throttling behind ${server.name}`, () => {
        let install;
        let web;

        before(async () => {
            install = await new Install({ site: { trusted_proxies: '127.0.0.1' } }).init().serve();
            web = await server.start(install);
        });
        after(async () => {
            await web?.stop();
            assert.equal(await install?.close(), 0);
        });

        it('after five wrong passwords the sixth attempt has to wait, and so has the right one', async () => {
            await fail(web, 'alice', '192.0.2.1');
            for (const password of ['wrong', alice.password]) {
                const answer = await attempt(new Browser(web.port), 'alice', password, '192.0.2.1');
                assert.equal(answer.status, 429);
                const wait = Number(answer.headers['retry-after']);
                assert.ok(wait > 5 && wait <= 15, answer.headers['retry-after']);
                assert.match(answer.body, new RegExp(`Too many attempts\\. Please try again in ${wait} seconds?\\.`));
                assert.match(answer.body, /<form method="post" action="\/auth\/login">/);
                assert.match(answer.headers['cache-control'], /no-store/);
                assert.ok(!answer.cookies.some((cookie) => cookie.startsWith(deviceName)));
            }
        });

        it('other accounts from that address, and other addresses, go on', async () => {
            await fail(web, 'alice', '192.0.2.2');
            assert.deepEqual(await attempts(web, 1, 'alice', alice.password, '192.0.2.2'), [429]);
            assert.deepEqual(await attempts(web, 1, 'bob', bob.password, '192.0.2.2'), [303]);
            assert.deepEqual(await attempts(web, 1, 'alice', alice.password, '192.0.2.3'), [303]);
        });

        it('all addresses of one /64 are one network, and each of IPv4 is one of its own', async () => {
            for (let i = 0; i < free; i++) {
                assert.deepEqual(await attempts(web, 1, 'alice', 'wrong', `2001:db8:1:1::${i + 1}`), [403]);
            }
            assert.deepEqual(await attempts(web, 1, 'alice', alice.password, '2001:db8:1:1:ffff::1'), [429]);
            assert.deepEqual(await attempts(web, 1, 'alice', alice.password, '2001:db8:1:2::1'), [303]);
        });

        it('what a client says of its address counts for nothing behind another proxy', async () => {
            for (let i = 0; i < free; i++) {
                assert.deepEqual(await attempts(web, 1, 'alice', 'wrong', `203.0.113.${i}, 192.0.2.4`), [403]);
            }
            assert.deepEqual(await attempts(web, 1, 'alice', alice.password, '203.0.113.99, 192.0.2.4'), [429]);
        });

        it('a browser that signed in before goes on, wherever the flood comes from', async () => {
            const known = new Browser(web.port);
            const first = await attempt(known, 'alice', alice.password, '192.0.2.5');
            assert.equal(first.status, 303);
            const cookie = first.cookies.find((line) => line.startsWith(`${deviceName}=`));
            assert.match(cookie, /; Path=\/; Max-Age=34560000; HttpOnly; SameSite=Lax$/);
            await known.signOut();
            assert.ok(known.jar.has(deviceName), 'it stays at sign-out');
            await fail(web, 'alice', '192.0.2.5');
            assert.deepEqual(await attempts(web, 1, 'alice', alice.password, '192.0.2.5'), [429]);
            const before = known.jar.get(deviceName);
            assert.equal((await attempt(known, 'alice', alice.password, '192.0.2.5')).status, 303);
            assert.notEqual(known.jar.get(deviceName), before, 'it is renewed');
            // It is no session, and no help for another account.
            const other = new Browser(web.port);
            other.jar.set(deviceName, known.jar.get(deviceName));
            assert.equal((await other.fetch('/private/page.html')).status, 303);
            other.jar.set('latchkey', known.jar.get(deviceName));
            assert.equal((await other.fetch('/private/page.html')).status, 303);
            await fail(web, 'bob', '192.0.2.5');
            other.jar.delete('latchkey');
            assert.equal((await attempt(other, 'bob', bob.password, '192.0.2.5')).status, 429);
        });

        it('a known browser that fails itself has to wait', async () => {
            const known = new Browser(web.port);
            assert.equal((await attempt(known, 'alice', alice.password, '192.0.2.6')).status, 303);
            known.jar.delete('latchkey');
            for (let i = 0; i < free; i++) {
                assert.equal((await attempt(known, 'alice', 'wrong', '192.0.2.6')).status, 403);
            }
            assert.equal((await attempt(known, 'alice', alice.password, '192.0.2.6')).status, 429);
            assert.deepEqual(await attempts(web, 1, 'alice', alice.password, '192.0.2.6'), [303]);
        });

        it('a device cookie that is garbage, forged or a session makes no known browser', async () => {
            const signedIn = new Browser(web.port);
            assert.equal((await attempt(signedIn, 'alice', alice.password, '192.0.2.7')).status, 303);
            const device = signedIn.jar.get(deviceName);
            await fail(web, 'alice', '192.0.2.7');
            for (const value of ['x', '""', 'A'.repeat(104), 'A'.repeat(3000), signedIn.jar.get('latchkey'),
                device.slice(1), `${device}A`, device.toLowerCase(), `${device.slice(0, -1)}${device.endsWith('A') ? 'B' : 'A'}`]) {
                const browser = new Browser(web.port);
                browser.jar.set(deviceName, value);
                assert.equal((await attempt(browser, 'alice', alice.password, '192.0.2.7')).status, 429, value);
            }
        });

        it('names that nobody has get the same answers, byte by byte', async () => {
            const seen = {};
            for (const [i, name] of ['alice', 'nobody', 'no.body@example.org'].entries()) {
                const bodies = [];
                for (let k = 0; k < free + 1; k++) {
                    const answer = await attempt(new Browser(web.port), name, 'wrong', `192.0.2.${10 + i}`);
                    const headers = Object.keys(answer.headers).sort().join();
                    bodies.push(`${answer.status} ${headers}\n${comparable(answer.body, name)}`.replace(/in \d+ seconds?/, ''));
                }
                seen[name] = bodies;
            }
            assert.match(seen.alice.at(-1), /^429 /);
            assert.deepEqual(seen.nobody, seen.alice);
            assert.deepEqual(seen['no.body@example.org'], seen.alice);
        });

        it('one account has one count, however its name is written', async () => {
            for (const name of ['bob', 'BOB', 'Bob', 'bOb', 'boB']) {
                assert.deepEqual(await attempts(web, 1, name, 'wrong', '192.0.2.20'), [403]);
            }
            assert.deepEqual(await attempts(web, 1, 'bob', bob.password, '192.0.2.20'), [429]);
            for (const name of ['bob ', ' bob', 'bob\t', 'bob%00', 'ｂｏｂ']) {
                assert.deepEqual(await attempts(web, 1, name, bob.password, '192.0.2.20'), [403], name);
            }
            assert.deepEqual(await attempts(web, 1, 'bob\0', bob.password, '192.0.2.20'), [400]);
        });

        it('a right password ends what was counted for the account', async () => {
            for (let i = 0; i < 3; i++) {
                assert.deepEqual(await attempts(web, free - 1, 'bob', 'wrong', '192.0.2.21'), Array(free - 1).fill(403));
                assert.deepEqual(await attempts(web, 1, 'bob', bob.password, '192.0.2.21'), [303]);
            }
        });

        it('who tries one password on many accounts has to wait, and the own account does not help', async () => {
            for (let i = 0; i < 10 * free; i++) {
                assert.deepEqual(await attempts(web, 1, `name-${i}`, 'wrong', '192.0.2.22'), [403]);
                if (i % 10 === 0) assert.deepEqual(await attempts(web, 1, 'bob', bob.password, '192.0.2.22'), [303]);
            }
            assert.deepEqual(await attempts(web, 1, 'another', 'wrong', '192.0.2.22'), [429]);
            assert.deepEqual(await attempts(web, 1, 'bob', bob.password, '192.0.2.22'), [429]);
        });

        it('100 attempts at once are heard five times', async () => {
            const browser = new Browser(web.port);
            await browser.fetch('/auth/login');
            const { cookie } = browser;
            const csrf = /name="csrf" value="([^"]*)"/.exec((await browser.fetch('/auth/login')).body)[1];
            const answers = await Promise.all(Array.from({ length: 100 }, () => new Browser(web.port).post('/auth/login',
                { csrf, username: 'alice', password: 'wrong' }, { cookie, 'x-forwarded-for': '192.0.2.23' })));
            const count = (wanted) => answers.filter(({ status }) => status === wanted).length;
            assert.equal(count(403), free);
            // Who finds too many others waiting is not heard at all (porter.test.mjs).
            assert.equal(count(429) + count(503), 100 - free);
            assert.ok(free + count(429) >= strangersMax, `${count(429)} have to wait`);
        });

        it('the owner of the site sees who has to wait, and lets them try again', async () => {
            await fail(web, 'bob', '192.0.2.24');
            const rows = JSON.parse(install.do(['throttle', 'list', '--json']));
            const row = rows.find(({ user, network }) => user === 'bob' && network === '192.0.2.24/32');
            assert.equal(row.failures, free);
            assert.equal(row.kind, 'account and network');
            assert.ok(!rows.some(({ user }) => user.startsWith('name-')), 'no name that nobody has');
            assert.deepEqual(await attempts(web, 1, 'bob', bob.password, '192.0.2.24'), [429]);
            install.do(['throttle', 'clear', 'bob']);
            assert.deepEqual(await attempts(web, 1, 'bob', bob.password, '192.0.2.24'), [303]);
        });

        it('a restart forgets nothing', async () => {
            await fail(web, 'bob', '192.0.2.25');
            await install.service.stop();
            await install.serve();
            assert.deepEqual(await attempts(web, 1, 'bob', bob.password, '192.0.2.25'), [429]);
        });
    });
}

describe('throttling with a window of two minutes', () => {
    let install;
    let web;

    before(async () => {
        install = await new Install({ throttle: { window: '120s', attempts: '2' } }).init().serve();
        web = await nginx.start(install);
    });
    after(async () => {
        await web?.stop();
        assert.equal(await install?.close(), 0);
    });

    it('after the wait it is heard again, and the next wait is twice as long', async () => {
        assert.deepEqual(await attempts(web, 3, 'alice', 'wrong', 'ignored'), [403, 403, 429]);
        const count = () => JSON.parse(install.do(['throttle', 'list', '--json']))
            .find(({ user, network }) => user === 'alice' && network !== '');
        assert.equal(count().until - count().failed, 2);
        await sleep(2100);
        assert.deepEqual(await attempts(web, 1, 'alice', 'wrong', 'ignored'), [403]);
        const answer = await attempt(new Browser(web.port), 'alice', alice.password, 'ignored');
        assert.equal(answer.status, 429);
        assert.match(answer.headers['retry-after'], /^[34]$/); // a second may have begun since
        assert.equal(count().until - count().failed, 4);
        await sleep(4100);
        assert.deepEqual(await attempts(web, 1, 'alice', alice.password, 'ignored'), [303]);
    });
});
