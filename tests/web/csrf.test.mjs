// Who may send a form: only the browser that it was shown to, and only from our own page.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { alice, bob } from './support/install.mjs';
import { Browser, encodeForm, formFields, request } from './support/http.mjs';
import { csrfOf, formType, host, isSignedIn, openForm, own, signedIn, without } from './support/forms.mjs';
import { behindEach } from './support/behind.mjs';

const foreign = [
    'http://evil.test', 'http://app.example.test', 'http://example.test', `http://${host}.evil.test`,
    `http://evil${host}`, `http://${host}:8080`, `http://${host}.`, `http://user@${host}`, `http://${host}/`,
    `ftp://${host}`, `//${host}`, host, 'null', `http://${host}, http://evil.test`, `http://evil.test http://${host}`,
];
const sites = [undefined, 'same-origin', 'same-site', 'cross-site', 'none', 'nonsense'];

// Every way to say where a form was sent from, and whether it may count.
const senders = [
    ...[own.origin, `https://${host}`].flatMap((origin) => sites.map((site) => ({ origin, site, may: true }))),
    ...foreign.flatMap((origin) => sites.map((site) => ({ origin, site, may: false }))),
    ...sites.map((site) => ({ site, may: [undefined, 'same-origin', 'none'].includes(site) })),
];

function headersOf({ origin, site }) {
    const headers = { host };
    if (origin !== undefined) headers.origin = origin;
    if (site !== undefined) headers['sec-fetch-site'] = site;
    return headers;
}

const told = (sender, name) => `${name}, Origin ${sender.origin}, Sec-Fetch-Site ${sender.site}`;
behindEach('the origin and the csrf value of a form', {}, (at) => {
    // The values that no form may have, as changes to a good form of `browser`.
    async function badValues(browser) {
        const anonymous = await openForm(at.port);
        const other = await signedIn(at.port, bob);
        const good = await csrfOf(browser);
        return {
            'absent': undefined,
            'empty': '',
            "another session's": await csrfOf(other),
            "an anonymous visitor's": anonymous.fields.csrf,
            'cut by one': good.slice(0, -1),
            'longer by one': `${good}A`,
            'with a blank': `${good} `,
            'in another case': good.toUpperCase() === good ? good.toLowerCase() : good.toUpperCase(),
            'the token itself': browser.cookie.split('=')[1],
            'nothing but zeros': 'A'.repeat(43),
        };
    }

    it('decide whether a session is ended', async () => {
        let browser = await signedIn(at.port);
        for (const sender of senders) {
            const csrf = await csrfOf(browser);
            const answer = await browser.post('/auth/logout', { csrf }, headersOf(sender));
            assert.equal(answer.status, sender.may ? 303 : 403, told(sender, 'good csrf'));
            assert.equal(answer.cookies.length, sender.may ? 1 : 0, told(sender, 'good csrf'));
            if (sender.may) {
                assert.equal(await isSignedIn(browser), false);
                browser = await signedIn(at.port);
            } else {
                assert.ok(await isSignedIn(browser), told(sender, 'good csrf'));
            }
        }
    });

    it('without the right csrf value end no session, wherever the form is from', async () => {
        const browser = await signedIn(at.port);
        for (const [name, csrf] of Object.entries(await badValues(browser))) {
            for (const sender of senders) {
                const fields = csrf === undefined ? {} : { csrf };
                const answer = await browser.post('/auth/logout', fields, headersOf(sender));
                assert.equal(answer.status, 403, told(sender, name));
                assert.deepEqual(answer.cookies, [], told(sender, name));
            }
            assert.ok(await isSignedIn(browser), name);
        }
    });

    it('decide whether somebody is signed in', async () => {
        for (const sender of senders) {
            const { browser, fields } = await openForm(at.port);
            const answer = await browser.post('/auth/login', fields, headersOf(sender));
            assert.equal(answer.status, sender.may ? 303 : 403, told(sender, 'good csrf'));
            assert.equal(await isSignedIn(browser), sender.may, told(sender, 'good csrf'));
        }
    });

    it('without the right csrf value sign nobody in, and nothing is tried', async () => {
        const { browser, fields } = await openForm(at.port);
        const other = await openForm(at.port);
        const session = await signedIn(at.port, bob);
        const before = at.install.log.length;
        for (const [name, csrf] of Object.entries({
            'absent': undefined, 'empty': '', "another visitor's": other.fields.csrf,
            "a session's": await csrfOf(session), 'cut by one': fields.csrf.slice(1),
        })) {
            for (const sender of senders.slice(0, 4)) {
                const sent = csrf === undefined ? without(fields, 'csrf') : { ...fields, csrf };
                const answer = await browser.post('/auth/login', sent, headersOf(sender));
                assert.equal(answer.status, 403, told(sender, name));
                assert.match(answer.body, /open for too long/);
                assert.deepEqual(answer.cookies, [], name);
            }
        }
        assert.equal(await isSignedIn(browser), false);
        assert.doesNotMatch(at.install.log.slice(before), /sign-in refused|signed in:/);
        assert.equal((await browser.post('/auth/login', fields, own)).status, 303, 'the control');
    });

    it('decide whether a form of the account is heard', async () => {
        const link = new URL(/\S*\/account\/link\S*/.exec(at.install.do(['user', 'reset-link', 'bob']))[0], 'http://h');
        const code = link.searchParams.get('code');
        const session = await signedIn(at.port);
        const visitor = (await openForm(at.port)).browser;
        // Forms that are wrong otherwise: who hears one says so, and nothing changes.
        const forms = [
            ['/auth/account/password', session, { current: 'x', new: 'x', again: 'y' }, 403, /are not the same/],
            ['/auth/account/sessions', session, { id: '0123456789abcdef' }, 404, /not signed in there any more/],
            ['/auth/account/link', visitor, { code, new: 'x', again: 'y' }, 403, /are not the same/],
        ];
        for (const [target, browser, fields, status, sentence] of forms) {
            const { csrf } = formFields((await browser.fetch(target.endsWith('link') ? link.pathname + link.search : target)).body);
            const bad = Object.entries(await badValues(session)).map(([name, value]) => [name, value, senders[0]]);
            for (const [name, value, sender] of [...senders.map((one) => ['good', csrf, one]), ...bad]) {
                const sent = value === undefined ? fields : { ...fields, csrf: value };
                const answer = await browser.post(target, sent, headersOf(sender));
                const may = name === 'good' && sender.may;
                assert.equal(answer.status, may ? status : 403, `${target}: ${told(sender, name)}`);
                assert.equal(sentence.test(answer.body), may, `${target}: ${told(sender, name)}`);
                assert.deepEqual(answer.cookies, []);
            }
        }
        assert.ok(await isSignedIn(session));
    });

    it('a csrf value does nothing without the cookie that it belongs to', async () => {
        const { fields } = await openForm(at.port);
        assert.equal((await new Browser(at.port).post('/auth/login', fields, own)).status, 403);
        const session = await signedIn(at.port);
        const csrf = await csrfOf(session);
        assert.equal((await new Browser(at.port).post('/auth/logout', { csrf }, own)).status, 403);
        assert.ok(await isSignedIn(session));
    });

    it('the value from before a sign-in is dead after it', async () => {
        const { browser, fields } = await openForm(at.port);
        assert.equal((await browser.post('/auth/login', fields, own)).status, 303);
        const answer = await browser.post('/auth/logout', { csrf: fields.csrf }, own);
        assert.equal(answer.status, 403);
        assert.ok(await isSignedIn(browser));
    });

    it('the value from before a sign-out does nothing in the next session', async () => {
        const browser = await signedIn(at.port);
        const csrf = await csrfOf(browser);
        assert.equal((await browser.post('/auth/logout', { csrf }, own)).status, 303);
        assert.equal((await browser.signIn(alice)).status, 303);
        assert.equal((await browser.post('/auth/logout', { csrf }, own)).status, 403);
        assert.ok(await isSignedIn(browser));
    });

    it('the value from a session that was replaced by another user is dead', async () => {
        const browser = await signedIn(at.port);
        const csrf = await csrfOf(browser);
        const form = { csrf, username: bob.name, password: bob.password };
        assert.equal((await browser.post('/auth/login', form, own)).status, 303);
        assert.equal((await browser.post('/auth/logout', { csrf }, own)).status, 403);
        assert.ok(await isSignedIn(browser));
    });

    it('may be good twice: nothing is kept, and a session can only end once', async () => {
        const { browser, fields } = await openForm(at.port);
        assert.equal((await browser.post('/auth/login', { ...fields, password: 'wrong' }, own)).status, 403);
        assert.equal((await browser.post('/auth/login', fields, own)).status, 303);
        const csrf = await csrfOf(browser);
        const [one, two] = await Promise.all([1, 2].map(() => request(at.port, '/auth/logout', {
            method: 'POST', body: encodeForm({ csrf }),
            headers: { ...own, cookie: browser.cookie, 'content-type': formType },
        })));
        for (const answer of [one, two]) assert.equal(answer.status, 303);
        assert.equal(await isSignedIn(browser), false);
    });

    it('stays good when the secret is rotated, and is dead when it is revoked', async () => {
        const { browser, fields } = await openForm(at.port);
        at.install.do(['secret', 'rotate']);
        const wrong = await browser.post('/auth/login', { ...fields, password: 'wrong' }, own);
        assert.match(wrong.body, /do not go together/);
        at.install.do(['secret', 'revoke']);
        const stale = await browser.post('/auth/login', fields, own);
        assert.equal(stale.status, 403);
        assert.match(stale.body, /open for too long/);
        // The answer is a form that can be sent.
        const again = { ...formFields(stale.body), username: alice.name, password: alice.password };
        assert.equal((await browser.post('/auth/login', again, own)).status, 303);
    });

    it('no answer lets another site read it', async () => {
        for (const origin of ['null', 'http://evil.test']) {
            const answer = await request(at.port, '/auth/login', { headers: { origin } });
            const names = Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'));
            assert.deepEqual(names, []);
        }
    });
});
