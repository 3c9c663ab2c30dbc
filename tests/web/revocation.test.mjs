// A copied cookie is dead from the answer on that said so: in every worker that knew the session,
// after a crash of everything, and for programs that are started for one request.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { it } from 'node:test';
import { required, runCgi } from './support/direct.mjs';
import { csrfOf, formType, signedIn } from './support/forms.mjs';
import { encodeForm, formFields, request } from './support/http.mjs';
import { bob, isAlive, until } from './support/install.mjs';
import { findAll, killAll } from './support/processes.mjs';
import { assertAlive, assertDead, pages, replayEverywhere, warm } from './support/replay.mjs';
import { forEachStore } from './support/stores.mjs';

const idOf = (at, user) => JSON.parse(at.install.do(['session', 'list', user.name, '--json']))[0].id;

// Acts that end the session of `browser`, a user's only one. With `others` they end nothing of
// other people.
const acts = [
    {
        name: 'a sign-out', others: true,
        act: async (at, user, browser) => assert.equal((await browser.signOut()).status, 303),
    },
    {
        name: 'session revoke', others: true,
        act: (at, user) => at.install.do(['session', 'revoke', idOf(at, user)]),
    },
    {
        name: 'a new password', others: true,
        act: (at, user) => at.install.do(['user', 'passwd', user.name, '--password-stdin'], 'some other long words\n'),
    },
    { name: 'a lock', others: true, act: (at, user) => at.install.do(['user', 'lock', user.name]) },
    { name: 'a removal', others: true, act: (at, user) => at.install.do(['user', 'remove', user.name]) },
    {
        name: 'sign out everywhere', others: true,
        act: (at, user) => at.install.do(['session', 'revoke-user', user.name]),
    },
    {
        name: 'a new password on the account\'s page', others: true,
        act: async (at, user, browser) => assert.equal((await browser.submit('/auth/account/password',
            { current: user.password, new: 'seven purple elephants yawn', again: 'seven purple elephants yawn' })).status, 303),
    },
    {
        name: 'the end of one device on its page', others: true,
        act: async (at, user, browser) => {
            const { body } = await browser.fetch('/auth/account/sessions');
            const { csrf, id } = formFields(/<li>.*?<\/li>/s.exec(body)[0]);
            assert.equal((await browser.post('/auth/account/sessions', { csrf, id })).status, 303);
        },
    },
    {
        name: 'sign out everywhere on the page', others: true,
        act: async (at, user, browser) => {
            const { csrf } = formFields((await browser.fetch('/auth/account/sessions')).body);
            assert.equal((await browser.post('/auth/account/sessions', { csrf, all: '1' })).status, 303);
        },
    },
    { name: 'session revoke-all', act: (at) => at.install.do(['session', 'revoke-all']) },
    { name: 'secret revoke', act: (at) => at.install.do(['secret', 'revoke']) },
];

let users = 0;

// A new user with one session that every worker knows.
async function newcomer(at, web) {
    const user = { name: `user${++users}`, password: 'a long sentence of this user' };
    at.install.addUser(user);
    const browser = await signedIn(web.port, user);
    const copied = browser.cookie;
    await warm(at, copied);
    return { user, browser, copied };
}

async function killEverything(at) {
    const all = findAll(at.install);
    killAll(all);
    await until('the end', () => !all.some(isAlive));
}

// What the programs say that are run as CGI: all that are asked elsewhere, or some.
function askCgi(at, cookie, asked = pages) {
    return asked.map(({ program, target, alive, dead }) => {
        const script = target.startsWith('/auth/') ? { SCRIPT_NAME: target } : {};
        const answer = runCgi(at.install, program, { ...required, REQUEST_URI: target, ...script, HTTP_COOKIE: cookie });
        // As CGI the gate is a responder.
        const expected = program === 'gate' ? { 204: true, 401: false } : { [alive]: true, [dead]: false };
        assert.ok(answer.status in expected, `${program}: ${answer.status} ${answer.log}`);
        return expected[answer.status];
    });
}

forEachStore('a copied cookie', (at) => {
    for (const [index, { name, act, others = false }] of acts.entries()) {
        it(`is dead after ${name}, on every worker`, async () => {
            const other = await signedIn(at.webs[0].port, bob);
            await warm(at, other.cookie);
            const { user, browser, copied } = await newcomer(at, at.webs[index % at.webs.length]);
            await act(at, user, browser);
            await assertDead(at, copied, 200);
            assert.deepEqual(await replayEverywhere(at, other.cookie, 32), [others]);
            assert.deepEqual(askCgi(at, copied), [false, false, false]);
            assert.deepEqual(askCgi(at, other.cookie, [pages[0]]), [others]);
        });
    }

    it('of one browser is dead after its sign-out, and the user\'s others live', async () => {
        const { user, browser, copied } = await newcomer(at, at.webs[0]);
        const second = await signedIn(at.webs[1].port, user);
        await warm(at, second.cookie);
        assert.equal((await browser.signOut()).status, 303);
        await assertDead(at, copied, 48);
        await assertAlive(at, second.cookie);
        at.install.do(['session', 'revoke-user', user.name]);
        await assertDead(at, second.cookie, 48);
        // The user may come back.
        await assertAlive(at, (await signedIn(at.webs[0].port, user)).cookie);
        await assertDead(at, copied, 48);
    });

    it('stays dead when everything is killed as soon as its end was answered', async () => {
        const live = await signedIn(at.webs[0].port, bob);
        await warm(at, live.cookie);
        const gone = [];
        for (const [index, one] of acts.filter(({ others }) => others).entries()) {
            gone.push({ ...one, ...await newcomer(at, at.webs[index % at.webs.length]) });
        }
        for (const { act, user, browser } of gone) await act(at, user, browser);
        await killEverything(at);
        await at.install.serve();
        for (const { name, copied } of gone) await assertDead(at, copied, 24, name);
        await assertAlive(at, live.cookie);
        for (const { name, act } of acts.filter(({ others }) => !others)) {
            const { user, browser, copied } = await newcomer(at, at.webs[0]);
            await act(at, user, browser);
            await killEverything(at);
            await at.install.serve();
            await assertDead(at, copied, 24, name);
            await assertDead(at, live.cookie, 48, name);
        }
        for (const { name, copied } of gone) await assertDead(at, copied, 16, name);
    });

    it('is dead for the running programs when one that ran as CGI ended it, and the reverse', async () => {
        const { copied } = await newcomer(at, at.webs[0]);
        const cgi = { ...required, REQUEST_URI: '/auth/logout', SCRIPT_NAME: '/auth/logout', HTTP_COOKIE: copied };
        const page = runCgi(at.install, 'logout', cgi);
        assert.equal(page.status, 200, page.log);
        assert.deepEqual(askCgi(at, copied), [true, true, true]);
        const input = encodeForm(formFields(page.body));
        const answer = runCgi(at.install, 'logout', {
            ...cgi, REQUEST_METHOD: 'POST', CONTENT_TYPE: 'application/x-www-form-urlencoded',
            CONTENT_LENGTH: String(input.length),
        }, { input });
        assert.equal(answer.status, 303, answer.log);
        await assertDead(at, copied, 100);
        assert.deepEqual(askCgi(at, copied), [false, false, false]);
    });

    // As when the cache needs its room, or when uses could not be noted for long.
    it('is dead after a sign-out also where its row had gone before, and workers remember it', async () => {
        const { copied, browser } = await newcomer(at, at.webs[0]);
        const csrf = await csrfOf(browser);
        for (const file of [path.join(at.install.state, 'latchkey.db'), path.join(at.install.run, 'cache.db')]) {
            const gone = spawnSync('sqlite3', [file, 'DELETE FROM session'], { encoding: 'utf8' });
            if (at.store === 'cache' || file.endsWith('latchkey.db')) assert.equal(gone.status, 0, gone.stderr);
        }
        const answer = await request(at.webs[1].port, '/auth/logout', {
            method: 'POST', body: encodeForm({ csrf }), headers: { cookie: copied, 'content-type': formType },
        });
        assert.equal(answer.status, 303);
        await assertDead(at, copied, 100);
    });

    it('goes on when the secret is rotated, and new tokens are of the new secret', async () => {
        const keyId = (browser) => Buffer.from(browser.jar.get('latchkey'), 'base64url').toString('hex', 2, 6);
        const old = await signedIn(at.webs[0].port);
        await warm(at, old.cookie);
        at.install.do(['secret', 'rotate']);
        await assertAlive(at, old.cookie);
        assert.deepEqual(askCgi(at, old.cookie), [true, true, true]);
        const ids = new Set();
        for (let i = 0; i < 6; i++) {
            const fresh = await signedIn(at.webs[i % at.webs.length].port);
            await assertAlive(at, fresh.cookie, 8);
            ids.add(keyId(fresh));
        }
        assert.equal(ids.size, 1);
        assert.ok(!ids.has(keyId(old)));
        // It can be ended as before.
        const copied = old.cookie;
        assert.equal((await old.signOut()).status, 303);
        await assertDead(at, copied);
    });
});
