// Sealed sessions slide: past half of the idle time a page that is asked for leads once through the
// login page, which gives a new token of the same session.
import assert from 'node:assert/strict';
import path from 'node:path';
import { beforeEach, it } from 'node:test';
import { clocked, day, hour, minute, noted, runAt } from './support/clock.mjs';
import { csrfOf, isSignedIn, signedIn } from './support/forms.mjs';
import { Browser, encodeForm, request } from './support/http.mjs';
import { Service, alice, until } from './support/install.mjs';
import { assertAlive, assertDead, replay } from './support/replay.mjs';
import { secret } from './support/servers.mjs';
import { forEachStore } from './support/stores.mjs';

const target = '/private/page.html?a=1&b=%20';
const throughLogin = '/auth/login?next=%2Fprivate%2Fpage.html%3Fa%3D1%26b%3D%2520';
const navigation = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-fetch-site': 'none' };

const tokenOf = (browser) => browser.jar.get('latchkey');
const navigate = (browser, address = target) => browser.fetch(address, { headers: navigation });

function assertPage(answer, what) {
    assert.equal(answer.status, 200, what);
    assert.ok(answer.body.includes(secret), what);
    assert.deepEqual(answer.cookies, [], what);
}

// Asks for the page as a browser does, and follows; how many redirects it took. The last time is
// longer ago than the count of redirects lives (loop.test.mjs).
async function visit(browser) {
    browser.jar.delete('latchkey-hops');
    let answer = await navigate(browser);
    let steps = 0;
    for (; answer.status === 303; steps++) {
        assert.ok(steps < 3, 'a browser would go round in circles');
        assert.ok(!answer.body.includes(secret));
        answer = await navigate(browser, answer.headers.location);
    }
    assert.equal(answer.status, 200);
    return { steps, passed: answer.body.includes(secret) };
}

const listed = (at) => JSON.parse(runAt(at, ['session', 'list', 'alice', '--json']));

forEachStore('the idle time', (at) => {
    beforeEach(() => {
        at.clock.shift(0);
        runAt(at, ['session', 'revoke-all']);
    });

    it('past its half leads a page through the login page, once, to a new token', async () => {
        for (const web of at.webs) {
            at.clock.shift(0);
            const browser = await signedIn(web.port);
            const first = tokenOf(browser);
            at.clock.pass(hour - minute);
            assertPage(await navigate(browser), 'before the half');
            at.clock.pass(2 * minute);
            const sent = await navigate(browser);
            assert.equal(sent.status, 303);
            assert.equal(sent.headers.location, throughLogin);
            assert.ok(!sent.body.includes(secret));
            const renewed = await navigate(browser, sent.headers.location);
            assert.equal(renewed.status, 303);
            assert.equal(renewed.headers.location, target);
            assert.equal(renewed.cookies.length, 2);
            assert.match(renewed.cookies[0], /^latchkey=[^;]+; Path=\/; HttpOnly; SameSite=Lax$/);
            assert.match(renewed.cookies[1], /^latchkey-hops=1; /);
            assert.notEqual(tokenOf(browser), first);
            assertPage(await navigate(browser));
            assertPage(await navigate(browser));
            // And again, counted from the renewal on.
            at.clock.pass(hour - minute);
            assertPage(await navigate(browser));
            at.clock.pass(2 * minute);
            assert.deepEqual(await visit(browser), { steps: 2, passed: true });
        }
    });

    it('begins anew also while the sign-in cannot be recorded, for another program keeps writing', async () => {
        const browser = await signedIn(at.webs[0].port);
        const first = tokenOf(browser);
        at.clock.pass(hour + minute);
        const writer = new Service('sqlite3', [path.join(at.install.state, 'latchkey.db')],
            { stdio: ['pipe', 'pipe', 'pipe'] });
        writer.child.stdin.write('BEGIN IMMEDIATE;\nSELECT 1;\n');
        await until('the lock', () => writer.output.includes('1'));
        try {
            assert.deepEqual(await visit(browser), { steps: 2, passed: true });
            assert.notEqual(tokenOf(browser), first);
        } finally {
            writer.child.stdin.end('ROLLBACK;\n');
            await writer.ended;
        }
    });

    it('is a browser\'s that says what it wants by Accept alone, too', async () => {
        for (const web of at.webs) {
            const browser = await signedIn(web.port);
            at.clock.pass(hour + minute);
            assert.equal((await browser.fetch(target)).status, 303);
            assert.equal((await browser.fetch('/auth/account')).headers.location, '/auth/login?next=%2Fauth%2Faccount');
            assert.equal((await browser.fetch('/auth/login')).headers.location, '/auth/account');
            assertPage(await browser.fetch(target));
            assert.equal((await browser.fetch('/auth/account')).status, 200);
        }
    });

    it('does not bother requests that are no pages, until it is over', async () => {
        const others = [
            { headers: { accept: 'application/json' } },
            { headers: { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' } },
            { headers: { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image', accept: 'image/*' } },
            { method: 'HEAD' },
            { method: 'POST', body: 'a=1', headers: { ...navigation, 'content-type': 'text/plain' }, program: true },
        ];
        for (const web of at.webs) {
            at.clock.shift(0);
            const browser = await signedIn(web.port);
            // nginx serves files only, to which nobody can post; before that it asks the gate.
            const ask = ({ program, ...options }) => browser.fetch(
                program && web.name === 'lighttpd' ? '/private/echo.cgi' : target, options);
            for (const passed of [hour - minute, 2 * minute, hour - 2 * minute]) {
                at.clock.pass(passed);
                for (const one of others) {
                    const answer = await ask(one);
                    assert.equal(answer.status, one.program && web.name === 'nginx' ? 405 : 200, JSON.stringify(one));
                    assert.deepEqual(answer.cookies, []);
                }
                assert.ok(await isSignedIn(browser));
            }
            at.clock.pass(2 * minute);
            for (const one of others) {
                const { status, body } = await ask(one);
                assert.ok([401, 303].includes(status), `${status} ${JSON.stringify(one)}`);
                assert.ok(!body.includes(secret));
            }
            assert.ok(!await isSignedIn(browser));
            assert.deepEqual(await visit(browser), { steps: 1, passed: false });
        }
    });

    it('goes on for whoever comes again, up to the lifetime', async () => {
        const browser = await signedIn(at.webs[0].port);
        const begun = at.clock.now;
        const [{ id }] = listed(at);
        for (let i = 1; i < 18; i++) {
            at.clock.set(begun + i * 80 * minute);
            browser.port = at.webs[i % at.webs.length].port;
            const { steps, passed } = await visit(browser);
            assert.ok(passed, `after ${i * 80} minutes`);
            assert.equal(steps, i < 17 ? 2 : steps);
            // It is one session, by its id and in the list.
            assert.deepEqual(listed(at).map((session) => session.id), [id]);
        }
        at.clock.set(begun + day - minute);
        assert.ok((await visit(browser)).passed);
        at.clock.set(begun + day + 2);
        assert.ok(!(await visit(browser)).passed);
        assert.ok(!await isSignedIn(browser));
    });

    it('leaves the former token good until its own end', async () => {
        const browser = await signedIn(at.webs[0].port);
        const former = browser.cookie;
        at.clock.pass(hour + minute);
        assert.ok((await visit(browser)).passed);
        const xhr = async (cookie) => (await request(at.webs[1].port, target,
            { headers: { cookie, accept: 'application/json' } })).status;
        assert.deepEqual([await xhr(former), await xhr(browser.cookie)], [200, 200]);
        at.clock.pass(hour - 2 * minute);
        assert.deepEqual([await xhr(former), await xhr(browser.cookie)], [200, 200]);
        at.clock.pass(2 * minute);
        assert.deepEqual([await xhr(former), await xhr(browser.cookie)], [401, 200]);
    });

    it('renewed or not, all tokens of a session end with it', async () => {
        for (const sender of ['former', 'renewed']) {
            at.clock.shift(0);
            const browser = await signedIn(at.webs[0].port);
            const former = browser.cookie;
            at.clock.pass(hour + minute);
            assert.ok((await visit(browser)).passed);
            const renewed = browser.cookie;
            assert.notEqual(renewed, former);
            await assertAlive(at, renewed, 24);
            const leaving = new Browser(at.webs[1].port);
            leaving.jar.set('latchkey', (sender === 'former' ? former : renewed).replace('latchkey=', ''));
            assert.equal((await leaving.signOut()).status, 303);
            await assertDead(at, former, 48, sender);
            await assertDead(at, renewed, 48, sender);
        }
        // The same for the command, which knows the session by its id.
        at.clock.shift(0);
        const browser = await signedIn(at.webs[0].port);
        const former = browser.cookie;
        at.clock.pass(hour + minute);
        assert.ok((await visit(browser)).passed);
        runAt(at, ['session', 'revoke', listed(at)[0].id]);
        await assertDead(at, former, 48);
        await assertDead(at, browser.cookie, 48);
    });

    it('is never renewed past a sign-out that runs at the same time', async () => {
        let renewals = 0;
        for (let i = 0; i < 24; i++) {
            at.clock.shift(0);
            const { port } = at.webs[i % at.webs.length];
            const browser = await signedIn(port);
            const former = browser.cookie;
            const body = encodeForm({ csrf: await csrfOf(browser) });
            at.clock.pass(hour + minute);
            const out = request(port, '/auth/logout', {
                method: 'POST', body, headers: { cookie: former, 'content-type': 'application/x-www-form-urlencoded' },
            });
            const renewing = Array.from({ length: 3 }, () => request(port, throughLogin, { headers: { cookie: former } }));
            assert.equal((await out).status, 303);
            for (const { status, cookies } of await Promise.all(renewing)) {
                assert.ok([303, 200].includes(status), String(status));
                const given = cookies[0]?.split(';')[0];
                renewals += status === 303;
                if (given !== undefined) assert.deepEqual(await replay(at, given, 4), [false]);
            }
            assert.deepEqual(await replay(at, former, 8), [false]);
        }
        assert.ok(renewals > 0, 'some were in time');
    });

    it('of whoever is remembered is the lifetime itself, without a detour', async () => {
        const browser = new Browser(at.webs[0].port);
        const answer = await browser.signIn(alice, { remember: '1' });
        assert.match(answer.cookies[0], /; Max-Age=2592000(;|$)/);
        at.clock.pass(30 * day - minute);
        assertPage(await navigate(browser));
        at.clock.pass(minute + 2);
        assert.ok(!(await visit(browser)).passed);
    });
}, { ...clocked, only: ['cookie'] });

forEachStore('a stored session', (at) => {
    it('is used without a detour, and slides by itself', async () => {
        const browser = await signedIn(at.webs[0].port);
        const token = tokenOf(browser);
        for (let i = 0; i < 5; i++) {
            at.clock.pass(2 * hour - 2 * minute);
            browser.port = at.webs[i % at.webs.length].port;
            assertPage(await navigate(browser), String(i));
            await noted(at, alice);
        }
        assert.equal(tokenOf(browser), token);
    });
}, { ...clocked, only: ['database', 'cache'] });
