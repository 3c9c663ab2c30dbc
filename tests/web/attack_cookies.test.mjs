// Cookies that somebody else put into the browser, that are missing when they are needed, or that no
// parser expects.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { behindEach } from './support/behind.mjs';
import { askFastcgi, required } from './support/direct.mjs';
import { csrfOf, formType, host, isSignedIn, openForm, own, signedIn } from './support/forms.mjs';
import { encodeForm, formFields, request } from './support/http.mjs';
import { Install, alice, bob, until } from './support/install.mjs';
import { countAll, findAll } from './support/processes.mjs';
import { many } from './support/replay.mjs';
import { secret } from './support/servers.mjs';
import { workers } from './support/stores.mjs';

// Over http a neighbouring host can set a cookie of our name for all hosts of the domain. The browser
// then sends both, in an order that the neighbour chooses by its path.
behindEach('a cookie that a neighbour set beside ours', {}, (at) => {
    const post = (target, cookie, fields) => request(at.port, target, {
        method: 'POST', body: encodeForm(fields), headers: { ...own, cookie, 'content-type': formType },
    });
    const get = (target, cookie) => request(at.port, target, { headers: { host, cookie } });
    const both = (one, two) => [`${one}; ${two}`, `${two}; ${one}`];
    const sessionOf = (browser) => `latchkey=${browser.jar.get('latchkey')}`;

    it('makes nobody act as the neighbour, nor the neighbour as anybody', async () => {
        const [mine, theirs] = [await signedIn(at.port), await signedIn(at.port, bob)];
        const [csrf, csrfOfTheirs] = [await csrfOf(mine), await csrfOf(theirs)];
        for (const cookie of both(sessionOf(mine), sessionOf(theirs))) {
            for (const value of [csrf, csrfOfTheirs, '']) {
                for (const [target, fields] of [['/auth/logout', {}], ['/auth/account/sessions', { all: '1' }],
                    ['/auth/account/password', { current: bob.password, new: 'seven purple elephants yawn',
                        again: 'seven purple elephants yawn' }]]) {
                    const answer = await post(target, cookie, { ...fields, csrf: value });
                    assert.ok([303, 403].includes(answer.status), `${target}: ${answer.status}`);
                    // If anywhere, it leads to the login page: nobody is signed in.
                    if (answer.status === 303) assert.match(answer.headers.location, /^\/auth\/login/, target);
                }
            }
            const page = await get('/private/page.html', cookie);
            assert.equal(page.status, 303);
            assert.deepEqual(JSON.parse((await get('/auth/session', cookie)).body), { user: null });
        }
        assert.ok(await isSignedIn(mine));
        assert.ok(await isSignedIn(theirs));
        await signedIn(at.port, bob);
    });

    it('that is a session lets nobody sign in, but for the neighbour\'s cookie alone', async () => {
        const theirs = await signedIn(at.port, bob);
        const { browser, fields } = await openForm(at.port);
        for (const cookie of both(browser.cookie, sessionOf(theirs))) {
            const shown = await get('/auth/login', cookie);
            assert.equal(shown.status, 200);
            for (const form of [fields, { ...fields, ...formFields(shown.body) }]) {
                const answer = await post('/auth/login', cookie, form);
                assert.equal(answer.status, 403);
                assert.match(answer.body, /name="password"/);
                assert.ok(!answer.cookies.some((line) => line.startsWith(`${sessionOf(theirs)};`)));
            }
        }
        // Alone it is the neighbour's session, and whoever signs in leaves it: it is not handed on.
        const page = await get('/auth/logout', sessionOf(theirs));
        const { csrf } = formFields(page.body);
        const answer = await post('/auth/login', sessionOf(theirs),
            { csrf, username: alice.name, password: alice.password });
        assert.equal(answer.status, 303);
        const [given] = answer.cookies[0].split(';');
        assert.notEqual(given, sessionOf(theirs));
        assert.equal(JSON.parse((await get('/auth/session', given)).body).user, 'alice');
    });

    it('that is no token of ours does no harm, up to seven', async () => {
        for (const count of [1, 7]) {
            const junk = Array.from({ length: count }, (_, i) => `latchkey=tossed${i}`).join('; ');
            const { browser, fields } = await openForm(at.port);
            const answer = await post('/auth/login', `${junk}; ${browser.cookie}`, fields);
            assert.equal(answer.status, 303);
            const [given] = answer.cookies[0].split(';');
            assert.equal((await get('/private/page.html', `${junk}; ${given}`)).status, 200);
        }
        const { browser, fields } = await openForm(at.port);
        const junk = Array.from({ length: 300 }, (_, i) => `latchkey=t${i}`).join('; ');
        const answer = await post('/auth/login', `${junk}; ${browser.cookie}`, fields);
        assert.equal(answer.status, 403);
        assert.match(answer.body, /name="password"/);
    });

    it('that is an anonymous token of the neighbour\'s makes no form of the neighbour\'s count', async () => {
        const theirs = await openForm(at.port);
        const mine = await openForm(at.port);
        for (const cookie of both(mine.browser.cookie, theirs.browser.cookie)) {
            const answer = await post('/auth/login', cookie,
                { ...theirs.fields, username: bob.name, password: bob.password });
            assert.equal(answer.status, 403);
            assert.ok(!answer.cookies.some((line) => /^latchkey-device=/.test(line)));
        }
    });

    it('that takes the place of ours between a page and its form leads to a form that can be sent', async () => {
        const { fields } = await openForm(at.port);
        for (const cookie of ['x=y', 'latchkey=evicted', sessionOf((await openForm(at.port)).browser)]) {
            const answer = await post('/auth/login', cookie, fields);
            assert.equal(answer.status, 403);
            const fresh = answer.cookies.find((line) => line.startsWith('latchkey='))?.split(';')[0] ?? cookie;
            const again = await post('/auth/login', fresh, { ...fields, ...formFields(answer.body) });
            assert.equal(again.status, 303, cookie);
        }
    });
});

describe('cookies that no parser expects', () => {
    let install;
    let token;
    let pids;
    before(async () => {
        install = await new Install({ workers }).init().serve();
        await until('the workers', () => findAll(install).length === countAll(workers));
        pids = findAll(install).sort();
        token = 'A'.repeat(104);
    });
    after(async () => assert.equal(await install?.close(), 0));

    it('are none, and no process dies of them', async () => {
        const counts = ['0', '-1', '1', '99999999', '2147483648', '4294967296', '9223372036854775808',
            '-9223372036854775809', '1e9', '0x7f'];
        const values = [
            '', '=', '&=', '&=&=', ';', ';;=', '=;=', 'a', 'aa', 'aaa', ' ', '\t', '"', '""', '"a', '= =', '====',
                'YQ==', 'Y Q', 'YWJj\t', ',', '\\',
            '%', '%00', '%0', '+', '\x7f', '\xff\xfe', '\xc0\x80', 'abc;Domain=x', 'abc; Path=/x; Max-Age=9',
                '&='.repeat(4000), ';'.repeat(1000),
            ';='.repeat(500), 'a'.repeat(8000), 'O:4:"User":1:{s:4:"name";s:5:"alice";}', '!!python/object', 'rO0ABXNy',
                '{"user":"alice"}', ...counts,
        ];
        const lines = [
            ...values.flatMap((value) => ['latchkey', 'latchkey-device', 'latchkey-hops', '__Host-latchkey',
                '__Host-latchkey-hops']
                .map((name) => `${name}=${value}`)),
            ...values, ...counts.flatMap((value) => [`latchkey_chunks=${value}`,
                `latchkey.chunks=${value}; latchkey.0=x`]),
            '$Version=1; latchkey="x"; $Path=/', Array.from({ length: 3000 }, (_, i) => `latchkey=${i}`).join('; '),
            Array.from({ length: 60 }, (_, i) => `latchkey=${token.slice(i)}`).join('; '),
        ];
        const asked = [['gate', '/private/page.html', [401]], ['login', '/auth/login?next=/a', [200]],
            ['account', '/auth/session', [401]],
            ['logout', '/auth/logout', [200]]];
        await many(lines.length * asked.length, async (index) => {
            const [program, target, good] = asked[index % asked.length];
            const line = lines[Math.floor(index / asked.length)];
            const answer = await askFastcgi(install.socket(program),
                { ...required, REQUEST_URI: target, HTTP_HOST: host, HTTP_COOKIE: Buffer.from(line, 'latin1') });
            const what = `${program}: ${line.slice(0, 100)}`;
            assert.ok([...good, ...(/[\x00-\x08\x0a-\x1f\x7f]/.test(line) ? [400] : [])].includes(answer.status),
                `${what}: ${answer.status}`);
            // Nothing of it comes back.
            const given = [...answer.text.matchAll(/^Set-Cookie: ([^=]*)=([^;]*)/gm)];
            for (const [, name, value] of given) {
                assert.ok(value === '' || /^[A-Za-z0-9_-]{104}$/.test(value), what);
                assert.match(name, /^latchkey(-hops)?$/, what);
            }
            assert.ok(!answer.text.includes(secret));
        });
        assert.deepEqual(findAll(install).sort(), pids);
    });
});
