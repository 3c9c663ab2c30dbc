// What every answer of the pages carries, and what the pages hold.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { alice } from './support/install.mjs';
import { encodeForm, raw, request } from './support/http.mjs';
import { csrfOf, formType, host, openForm, own, signedIn } from './support/forms.mjs';
import { behindEach } from './support/behind.mjs';

const fixed = {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'x-frame-options': 'DENY',
};
const typeOf = { 'application/json': /^\{/, 'text/html; charset=utf-8': /^<!doctype html>/ };

// The directives of a policy, as { name: [source, …] }.
const readPolicy = (policy) => Object.fromEntries(policy.split(';').map((part) => part.trim().split(/ +/))
    .map(([name, ...sources]) => [name, sources]));

function assertProtected(answer, what) {
    for (const [name, value] of Object.entries(fixed)) assert.equal(answer.headers[name], value, `${what}: ${name}`);
    const policy = readPolicy(answer.headers['content-security-policy']);
    const { 'style-src': style, 'script-src': script, ...rest } = policy;
    assert.deepEqual(rest, {
        'default-src': ["'none'"], 'base-uri': ["'none'"], 'frame-ancestors': ["'none'"], 'form-action': ["'self'"],
    }, what);
    for (const sources of [style, script]) assert.match(sources.join(' '), /^'sha256-[A-Za-z0-9+/]{43}='$/, what);
    for (const name of ['content-security-policy', 'x-frame-options', 'cache-control', 'retry-after', 'location']) {
        const times = answer.rawHeaders.filter((text, i) => i % 2 === 0 && text.toLowerCase() === name).length;
        assert.ok(times <= 1, `${what}: ${name} ${times} times`);
    }
    const names = answer.cookies.map((cookie) => cookie.split('=')[0]);
    assert.equal(new Set(names).size, names.length, `${what}: ${names.join()}`);
    for (const name of ['x-powered-by', 'status', 'access-control-allow-origin']) {
        assert.equal(answer.headers[name], undefined, `${what}: ${name}`);
    }
    if (answer.body !== '') assert.match(answer.body, typeOf[answer.headers['content-type']], what);
}

// Every kind of answer that the pages give: [status, what it is, the answer].
async function everyAnswer(port) {
    const nobody = (target, options = {}) =>
        request(port, target, { ...options, headers: { host, ...options.headers } });
    const post = (target, body, headers = {}) =>
        nobody(target, { method: 'POST', body, headers: { ...own, 'content-type': formType, ...headers } });
    const { browser, fields } = await openForm(port);
    const session = await signedIn(port);
    return [
        [200, 'login page', await nobody('/auth/login')],
        [200, 'page after signing out', await nobody('/auth/login?signed-out')],
        [200, 'logout page', await session.fetch('/auth/logout')],
        [200, 'logout page of nobody', await nobody('/auth/logout')],
        [200, 'account page', await session.fetch('/auth/account')],
        [200, 'who is signed in', await session.fetch('/auth/session')],
        [303, 'signed in already', await session.fetch('/auth/login')],
        [303, 'account page of nobody', await nobody('/auth/account')],
        [401, 'nobody is signed in', await nobody('/auth/session')],
        [403, 'wrong password', await browser.post('/auth/login', { ...fields, password: 'wrong' }, own)],
        [403, 'stale login form', await post('/auth/login', '')],
        [403, 'stale logout form', await post('/auth/logout', '')],
        [303, 'signed in', await browser.post('/auth/login', fields, own)],
        [405, 'other method, login', await nobody('/auth/login', { method: 'PUT' })],
        [405, 'other method, session', await nobody('/auth/session', { method: 'DELETE' })],
        [413, 'large form', await post('/auth/login', 'x'.repeat(17000))],
        [415, 'no form', await post('/auth/login', 'x', { 'content-type': 'text/plain' })],
        [400, 'bad escape', await post('/auth/login', 'a=%zz')],
        [400, 'bad query', await nobody('/auth/account?a=%zz')],
        [303, 'signed out', await session.post('/auth/logout', { csrf: await csrfOf(session) }, own)],
    ];
}

behindEach('the pages', {}, (at) => {
    it('protect every answer', async () => {
        for (const [status, what, answer] of await everyAnswer(at.port)) {
            assert.equal(answer.status, status, what);
            assertProtected(answer, what);
        }
    });

    it('protect what lies below them too', async () => {
        // nginx answers by itself what is no page; lighttpd hands on what begins like one.
        for (const target of ['/auth/login/x', '/auth/loginx', '/auth/account/x', '/auth/session/', '/auth/logout/']) {
            const answer = await request(at.port, target);
            assert.equal(answer.status, 404, target);
            if (at.server === 'lighttpd') assertProtected(answer, target);
        }
    });

    it('protect the answer when something is broken, and say nothing of what', async () => {
        const session = await signedIn(at.port);
        const secret = path.join(at.install.state, 'secret');
        chmodSync(secret, 0o644);
        try {
            for (const target of ['/auth/login', '/auth/logout', '/auth/account', '/auth/session']) {
                const answer = await session.fetch(target);
                assert.equal(answer.status, 503, target);
                assert.match(answer.headers['retry-after'], /^[1-9][0-9]*$/);
                assertProtected(answer, target);
                assert.deepEqual(answer.cookies, []);
                assert.ok(!answer.body.includes(at.install.folder));
                assert.doesNotMatch(answer.body, /secret|permission|0644|chmod/i);
            }
            const form = await session.post('/auth/login', { username: alice.name, password: alice.password }, own);
            assert.equal(form.status, 503);
            assert.deepEqual(form.cookies, []);
            const asked = await session.fetch('/private/page.html');
            assert.ok(asked.status >= 500);
        } finally {
            chmodSync(secret, 0o600);
        }
        assert.equal((await session.fetch('/auth/session')).status, 200);
    });

    it('answer HEAD as GET, without a body', async () => {
        const session = await signedIn(at.port);
        const targets = ['/auth/login', '/auth/logout', '/auth/account', '/auth/session', '/auth/login?next=%2Fx'];
        for (const cookie of [undefined, session.cookie]) {
            for (const target of targets) {
                const headers = cookie === undefined ? {} : { cookie };
                const got = await request(at.port, target, { headers });
                const head = await request(at.port, target, { headers, method: 'HEAD' });
                assert.equal(head.body, '', target);
                assert.equal(head.status, got.status, target);
                assertProtected(head, target);
                assert.equal(head.headers.location, got.headers.location);
                assert.equal(head.headers['content-type'], got.headers['content-type']);
                assert.equal(head.cookies.length, got.cookies.length, target);
            }
        }
        for (const target of ['/auth/login', '/auth/login?%zz', '/auth/account']) {
            const bytes = await raw(at.port, `HEAD ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
            assert.equal(bytes.split('\r\n\r\n').slice(1).join(), '', target);
        }
    });

    it('have one style and one script, whose hashes the policy names', async () => {
        for (const [status, what, answer] of await everyAnswer(at.port)) {
            if (answer.headers['content-type'] !== 'text/html; charset=utf-8') continue;
            const policy = readPolicy(answer.headers['content-security-policy']);
            for (const name of ['style', 'script']) {
                const found = [...answer.body.matchAll(new RegExp(`<${name}([^>]*)>(.*?)</${name}>`, 'gs'))];
                assert.equal(found.length, 1, `${what}: ${name}`);
                const [, attributes, text] = found[0];
                assert.equal(attributes, '');
                assert.ok(text.length > 100);
                const hash = createHash('sha256').update(text).digest('base64');
                assert.deepEqual(policy[`${name}-src`], [`'sha256-${hash}'`], `${what} ${status}`);
            }
            assert.doesNotMatch(answer.body, /<[^>]*\s(style|on[a-z]+)\s*=/i, what);
        }
    });

    it('name no other host, and load nothing', async () => {
        for (const [, what, answer] of await everyAnswer(at.port)) {
            assert.doesNotMatch(answer.body, /:\/\//, what);
            assert.doesNotMatch(answer.body, /@import|url\(|<(link|img|iframe|object|embed|base|video|use)\b/i, what);
            const addresses = answer.body.matchAll(/\s(href|src|action|formaction|data|poster)="([^"]*)"/gi);
            for (const [, name, value] of addresses) {
                assert.match(value, /^\/(?!\/)/, `${what}: ${name}`);
            }
        }
    });

    it('send the whole login page in less than 15 KB', async () => {
        const bytes = await raw(at.port, `GET /auth/login HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
        assert.match(bytes, /^HTTP\/1.1 200 /);
        assert.match(bytes, /<\/html>/);
        assert.ok(bytes.length < 15000, String(bytes.length));
    });

    it('tell the browser to empty its cache at sign-out', async () => {
        const session = await signedIn(at.port);
        assert.equal((await session.signOut()).headers['clear-site-data'], '"cache"');
    });
});

const remember = 30 * 86400;
const cookieCases = [
    { session: { secure_cookie: 'no' }, name: 'latchkey', attributes: ['HttpOnly', 'Path=/', 'SameSite=Lax'] },
    {
        session: { secure_cookie: 'yes' },
        name: '__Host-latchkey',
        attributes: ['HttpOnly', 'Path=/', 'SameSite=Lax', 'Secure'],
    },
    {
        session: { secure_cookie: 'yes', cookie_domain: 'example.test' },
        name: '__Secure-latchkey',
        attributes: ['Domain=example.test', 'HttpOnly', 'Path=/', 'SameSite=Lax', 'Secure'],
    },
];

for (const { session, name, attributes } of cookieCases) {
    behindEach(`the cookie ${name}`, { session }, (at) => {
        function read(answer) {
            const ours = answer.cookies.filter((cookie) => cookie.startsWith(`${name}=`));
            assert.equal(ours.length, 1);
            assert.ok(ours[0].length <= 256);
            const [pair, ...rest] = ours[0].split('; ');
            const [, key, value] = /^([^=]*)=(.*)$/.exec(pair);
            assert.equal(key, name);
            return { value, attributes: rest.sort() };
        }
        const token = /^[A-Za-z0-9_-]{104}$/;

        it('has its attributes, also when it is that of nobody', async () => {
            const { browser, fields } = await openForm(at.port);
            const anonymous = read(await request(at.port, '/auth/login'));
            assert.match(anonymous.value, token);
            assert.deepEqual(anonymous.attributes, attributes);
            const given = read(await browser.post('/auth/login', fields, own));
            assert.match(given.value, token);
            assert.deepEqual(given.attributes, attributes);
            assert.equal((await browser.fetch('/private/page.html')).status, 200);
        });

        it('outlives the browser only where that was asked for', async () => {
            for (const [value, keep] of [['1', true], ['on', true], ['0', false], ['', false]]) {
                const { browser, fields } = await openForm(at.port);
                const given = read(await browser.post('/auth/login', { ...fields, remember: value }, own));
                const more = keep ? [`Max-Age=${remember}`] : [];
                assert.deepEqual(given.attributes, [...attributes, ...more].sort(), `remember=${value}`);
            }
        });

        it('has one beside it at sign-in that tells a known browser, for this host and 400 days', async () => {
            const device = session.secure_cookie === 'yes' ? '__Host-latchkey-device' : 'latchkey-device';
            const { browser, fields } = await openForm(at.port);
            const answer = await browser.post('/auth/login', fields, own);
            assert.equal(answer.cookies.length, 2);
            const [pair, ...rest] = answer.cookies.find((cookie) => cookie.startsWith(`${device}=`)).split('; ');
            assert.match(pair.slice(device.length + 1), token);
            assert.deepEqual(rest.sort(), ['HttpOnly', `Max-Age=${400 * 86400}`, 'Path=/', 'SameSite=Lax',
                ...(session.secure_cookie === 'yes' ? ['Secure'] : [])]);
        });

        it('is deleted with the attributes that it was set with', async () => {
            for (const value of ['1', '']) {
                const { browser, fields } = await openForm(at.port);
                await browser.post('/auth/login', { ...fields, remember: value }, own);
                const gone = read(await browser.post('/auth/logout', { csrf: await csrfOf(browser) }, own));
                assert.equal(gone.value, '');
                assert.deepEqual(gone.attributes, [...attributes, 'Max-Age=0'].sort());
            }
        });

        it('tells nobody anything about its owner', async () => {
            const browser = await signedIn(at.port);
            const bytes = Buffer.from(browser.jar.get(name), 'base64url').toString('latin1');
            for (const text of ['alice', 'Alice', 'example', 'staff']) assert.ok(!bytes.includes(text));
        });

        it('is not set where nothing changes', async () => {
            const browser = await signedIn(at.port);
            for (const target of ['/auth/login', '/auth/logout', '/auth/account', '/auth/session',
                '/private/page.html']) {
                assert.deepEqual((await browser.fetch(target)).cookies, [], target);
            }
            for (const target of ['/auth/session', '/auth/account', '/private/page.html', '/public/page.html']) {
                assert.deepEqual((await request(at.port, target)).cookies, [], target);
            }
            const page = await request(at.port, '/auth/login');
            const cookie = page.cookies[0].split(';')[0];
            const again = await request(at.port, '/auth/login', { headers: { cookie } });
            assert.deepEqual(again.cookies, []);
        });

        it('stands in no page and in no log', async () => {
            const browser = await signedIn(at.port);
            const value = browser.jar.get(name);
            for (const target of ['/auth/logout', '/auth/account', '/auth/session', '/auth/login?%zz']) {
                assert.ok(!(await browser.fetch(target)).body.includes(value), target);
            }
            await browser.post('/auth/logout', encodeForm({ csrf: await csrfOf(browser) }), own);
            assert.ok(!at.install.log.includes(value));
            assert.ok(!at.install.log.includes(alice.password));
        });
    });
}
