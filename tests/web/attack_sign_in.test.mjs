// Who is refused learns nothing of why, neither from the answer nor from the work that was done for
// it: each attempt costs one hash of the configured cost, or none, whatever is known of the name.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { openForm, signedIn, without } from './support/forms.mjs';
import { formFields, request } from './support/http.mjs';
import { Install, alice, bob, plainLatchkey } from './support/install.mjs';
import { makeLibrary } from './support/preload.mjs';
import { servers } from './support/servers.mjs';

const one = ['hash m=2048,t=3,p=1'];
const none = [];
const users = {
    locked: 'the password of a locked user', spoiled: 'the password of a spoiled hash',
    cut: 'the password of a cut hash', foreign: 'the password of another scheme',
    starred: 'the password behind a star', dear: 'the password of too dear a hash',
};
// What stands in the database instead of the hash of a user.
const spoiled = {
    spoiled: 'x', cut: '$argon2id$v=19$m=2048,t=3,p=1$c2FsdHNhbHQ', foreign: '$argon2id$', starred: '*',
    dear: '$argon2id$v=19$m=4194304,t=9,p=1$nobodynobodynobodynobA$nobodynobodynobodynobodynobodynobodynobodyA',
};
const long = 'x'.repeat(1025);

const names = (name) => [
    ['a wrong password', name, 'wrong', one], ['no password', name, '', one],
    ['the longest password', name, 'x'.repeat(1024), one], ['a password that is too long', name, long, none],
    ['a password of many bytes', name, 'é'.repeat(513), none],
];

// [what, name, password, the hashes that it costs]; all are answered alike.
const refused = [
    ...names('alice'), ...names('nobody'), ...names('locked'), ...names('invited'),
    ['the password with a blank behind it', 'alice', `${alice.password} `, one],
    ['the password without its last character', 'alice', alice.password.slice(0, -1), one],
    ['the password in capitals', 'alice', alice.password.toUpperCase(), one],
    ['the password with other blanks', 'alice', alice.password.replaceAll(' ', '\u00a0'), one],
    ['the right password of a locked user', 'locked', users.locked, one],
    ...Object.keys(spoiled).flatMap((name) => [
        [`the right password, the hash being "${spoiled[name].slice(0, 12)}"`, name, users[name], one],
        [`what stands in the place of the hash "${spoiled[name].slice(0, 12)}"`, name, spoiled[name], one],
    ]),
    // Names that are nobody's, and those that careless programs would take for alice (RFC 8265 §3.3).
    ...['', ' ', 'x'.repeat(64), 'x'.repeat(65), 'x'.repeat(5000), 'alice ', ' alice', 'alice\t', 'alice.', 'alice@',
        'alice@x@y.example', 'аlice', 'ａｌｉｃｅ', 'alıce', 'al\u200bice', 'alice\u200d', 'alic\u0435', 'ali\u0441e',
        'alice\u0301', 'álice'.normalize('NFD'), 'alice\u00a0', '\u202ealice', '\ufeffalice', '1', '1e0', '0x1', '%', '_', '*',
        "alice' --", "' OR 1=1 --", '%s%s%n', 'alice\r\nbob', 'al%69ce', 'alice/../bob'].map((name) =>
        [`the name ${JSON.stringify(name.slice(0, 20))}`, name, alice.password, one]),
];

// An installation whose hashes are counted, before all web servers.
async function start(attempts) {
    const install = new Install({
        throttle: { attempts }, password: { memory: '2M', passes: '3' }, site: { trusted_proxies: '127.0.0.1' },
    }).init();
    const database = path.join(install.state, 'latchkey.db');
    for (const [name, password] of Object.entries(users)) install.addUser({ name, password });
    install.do(['user', 'lock', 'locked']);
    install.do(['user', 'invite', 'invited']);
    for (const [name, hash] of Object.entries(spoiled)) {
        await promisify(execFile)('sqlite3', [database, `UPDATE user SET hash = '${hash}' WHERE name = '${name}'`]);
    }
    const file = path.join(install.run, 'hashes');
    await install.serve({
        command: plainLatchkey,
        env: { LD_PRELOAD: makeLibrary(install.folder, 'tests/web/support/hashes.c', '-lcrypt'), LATCHKEY_TEST_HASHES: file },
    });
    const webs = [];
    for (const server of servers) webs.push(await server.start(install));
    return {
        webs,
        // The hashes that were begun since the last call, in order.
        takeHashes() {
            const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
            rmSync(file, { force: true });
            return lines;
        },
        async stop() {
            for (const web of webs) await web.stop();
            assert.equal(await install.close(), 0);
        },
    };
}

describe('a refused sign-in', () => {
    let at, webs, takeHashes;

    before(async () => {
        at = await start(100000);
        ({ webs, takeHashes } = at);
    });
    after(() => at?.stop());

    // All of an answer but what differs by itself.
    const comparable = ({ status, rawHeaders, cookies, body }) => JSON.stringify([
        status, cookies.length,
        rawHeaders.filter((_, i) => !['date', 'content-length'].includes(rawHeaders[i - i % 2].toLowerCase())),
        // What was typed as a name stands in the form again; where there is none, the cursor goes there.
        body.replace(/name="csrf" value="[^"]*"/, '').replace(/(name="username" type="text") value="[^"]*"/, '$1')
            .replaceAll(' autofocus', ''),
    ]);

    it('costs one hash, or none, and is answered in one way', async () => {
        takeHashes();
        for (const web of webs) {
            const answers = new Map();
            for (const [what, username, password, cost] of refused) {
                const { browser, fields } = await openForm(web.port);
                const answer = await browser.post('/auth/login', { ...fields, username, password });
                assert.equal(answer.status, 403, what);
                assert.deepEqual(takeHashes(), cost, `${web.name}: ${username.slice(0, 20)}: ${what}`);
                answers.set(comparable(answer), what);
                assert.equal((await browser.fetch('/auth/session')).status, 401, what);
            }
            assert.equal(answers.size, 1, [...answers.values()].join('; '));
        }
    });

    it('is told from a right one', async () => {
        for (const web of webs) {
            takeHashes();
            await signedIn(web.port);
            assert.deepEqual(takeHashes(), one);
        }
    });

    it('costs nothing before it is known to be a form of ours', async () => {
        const [web] = webs;
        const { browser, fields } = await openForm(web.port);
        takeHashes();
        const posts = [
            [without(fields, 'csrf'), {}, 403], [{ ...fields, csrf: '' }, {}, 403], [fields, { origin: 'https://evil.test' }, 403],
            [fields, { 'content-type': 'text/plain' }, 415], [fields, { 'content-type': 'application/json' }, 415],
            [{ ...fields, password: 'x'.repeat(20000) }, {}, 413], [{ ...fields, password: 'a\0b' }, {}, 400],
        ];
        for (const [sent, headers, status] of posts) {
            assert.equal((await browser.post('/auth/login', sent, headers)).status, status);
        }
        const basic = { authorization: `Basic ${Buffer.from(`alice:${alice.password}`).toString('base64')}` };
        for (const target of ['/private/page.html', '/auth/session', '/auth/account', '/auth/login']) {
            assert.ok([200, 303, 401].includes((await request(web.port, target, { headers: basic })).status));
            assert.equal((await request(web.port, '/auth/session', { headers: basic })).status, 401);
        }
        for (const code of ['', 'x', 'A'.repeat(43)]) {
            await browser.post('/auth/account/link', { csrf: fields.csrf, code, new: 'a long new password', again: 'a long new password' });
        }
        const query = new URLSearchParams({ username: 'alice', password: alice.password });
        assert.equal((await request(web.port, `/auth/login?${query}`)).status, 200);
        assert.deepEqual(takeHashes(), none);
        assert.equal((await browser.post('/auth/login', fields)).status, 303, 'the control');
        assert.deepEqual(takeHashes(), one);
    });

    it('does the same on the pages of the own account', async () => {
        const browser = await signedIn(webs[0].port, bob);
        const wanted = 'seven purple elephants yawn';
        const change = async (current, text = wanted) => {
            const { csrf } = formFields((await browser.fetch('/auth/account/password')).body);
            takeHashes();
            return browser.post('/auth/account/password', { csrf, current, new: text, again: text });
        };
        for (const [current, cost] of [['wrong', one], ['', one], [long, none]]) {
            assert.equal((await change(current)).status, 403);
            assert.deepEqual(takeHashes(), cost);
        }
        assert.equal((await change(bob.password, 'short')).status, 403);
        assert.deepEqual(takeHashes(), none);
        assert.equal((await change(bob.password)).status, 303);
        assert.deepEqual(takeHashes(), [...one, ...one]);
    });
});

describe('a sign-in that has to wait', () => {
    let at;

    before(async () => { at = await start(2); });
    after(() => at?.stop());

    it('costs nothing, whoever is meant', async () => {
        const attempt = async (name, password, address) => {
            const { browser, fields } = await openForm(at.webs[0].port);
            at.takeHashes();
            return (await browser.post('/auth/login', { ...fields, username: name, password }, { 'x-forwarded-for': address })).status;
        };
        const meant = [['alice', alice.password], ['locked', users.locked], ['nobody', 'x'], ['spoiled', users.spoiled]];
        for (const [i, [name, right]] of meant.entries()) {
            const address = `192.0.2.${i + 1}`;
            for (const status of [403, 403, 429]) {
                assert.equal(await attempt(name, 'wrong', address), status);
                assert.deepEqual(at.takeHashes(), status === 403 ? one : none, name);
            }
            for (const password of [right, 'wrong', long]) {
                assert.equal(await attempt(name, password, address), 429);
                assert.deepEqual(at.takeHashes(), none, name);
            }
        }
    });
});
