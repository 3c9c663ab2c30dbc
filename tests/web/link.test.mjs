// One-time links on which a user sets a password.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isSignedIn, signedIn } from './support/forms.mjs';
import { Browser, formFields } from './support/http.mjs';
import { clocked, runAt } from './support/clock.mjs';
import { forEachStore } from './support/stores.mjs';

const wanted = 'seven purple elephants yawn';

let users = 0;

function linkFrom(output) {
    const line = output.split('\n').find((text) => text.includes('/account/link?code='));
    return new URL(line.trim(), 'http://127.0.0.1');
}

function invite(at) {
    const name = `invited${++users}`;
    const link = linkFrom(runAt(at, ['user', 'invite', name, '--name', 'In Vited']));
    return { name, target: link.pathname + link.search, code: link.searchParams.get('code') };
}

const use = (browser, target, text = wanted) => browser.submit(target, { new: text, again: text });

forEachStore('a one-time link', (at) => {
    it('lets an invited user set a password, and signs in', async () => {
        const { name, target } = invite(at);
        const browser = new Browser(at.webs[0].port);
        const page = await browser.fetch(target);
        assert.equal(page.status, 200);
        assert.ok(page.body.includes(name));
        const answer = await use(browser, target);
        assert.equal(answer.status, 303);
        assert.equal(answer.headers.location, '/auth/account');
        assert.equal(await isSignedIn(browser), true);
        await signedIn(at.webs[1].port, { name, password: wanted });
    });

    it('works once', async () => {
        const { name, target, code } = invite(at);
        const first = new Browser(at.webs[0].port);
        const second = new Browser(at.webs[0].port);
        const waiting = formFields((await second.fetch(target)).body);
        assert.equal((await use(first, target)).status, 303);
        const answer = await second.post('/auth/account/link', { ...waiting, new: 'some other long words', again: 'some other long words' });
        assert.equal(answer.status, 404);
        assert.equal((await second.fetch(target)).status, 404);
        assert.ok(!answer.body.includes(code));
        await signedIn(at.webs[0].port, { name, password: wanted });
    });

    it('works for a day', async () => {
        const { target } = invite(at);
        at.clock.pass(86399);
        const browser = new Browser(at.webs[0].port);
        assert.equal((await browser.fetch(target)).status, 200);
        at.clock.pass(2);
        assert.equal((await browser.fetch(target)).status, 404);
    });

    it('is not used up by looking at it, nor by a password that is refused', async () => {
        const { target } = invite(at);
        const browser = new Browser(at.webs[0].port);
        for (let i = 0; i < 3; i++) assert.equal((await browser.fetch(target)).status, 200);
        assert.equal((await browser.fetch(target, { method: 'HEAD' })).status, 200);
        assert.equal((await use(browser, target, 'password1234')).status, 403);
        assert.equal((await browser.post('/auth/account/link', { code: 'x', new: wanted, again: wanted })).status, 404);
        assert.equal((await use(browser, target)).status, 303);
    });

    it('resets a password: the old one holds until then, and all sessions end with it', async () => {
        const user = { name: `forgetful${++users}`, password: 'a long sentence of this user' };
        runAt(at, ['user', 'add', user.name, '--password-stdin'], `${user.password}\n`);
        const old = await signedIn(at.webs[0].port, user);
        const link = linkFrom(runAt(at, ['user', 'reset-link', user.name]));
        assert.equal(await isSignedIn(old), true);
        const browser = new Browser(at.webs[0].port);
        assert.equal((await use(browser, link.pathname + link.search)).status, 303);
        assert.equal(await isSignedIn(old), false);
        assert.equal((await new Browser(at.webs[0].port).signIn(user)).status, 403);
    });

    it('of a locked user, or replaced by a newer one, is no good', async () => {
        const first = invite(at);
        const second = linkFrom(runAt(at, ['user', 'reset-link', first.name]));
        const browser = new Browser(at.webs[0].port);
        assert.equal((await browser.fetch(first.target)).status, 404);
        assert.equal((await browser.fetch(second.pathname + second.search)).status, 200);
        runAt(at, ['user', 'lock', first.name]);
        assert.equal((await browser.fetch(second.pathname + second.search)).status, 404);
    });

    it('ends with the secrets, and with a lock for good', async () => {
        const browser = new Browser(at.webs[0].port);
        const locked = invite(at);
        runAt(at, ['user', 'lock', locked.name]);
        runAt(at, ['user', 'unlock', locked.name]);
        assert.equal((await browser.fetch(locked.target)).status, 404);
        const revoked = invite(at);
        runAt(at, ['secret', 'revoke']);
        assert.equal((await browser.fetch(revoked.target)).status, 404);
    });

    it('that nobody made is answered like one that was used', async () => {
        const browser = new Browser(at.webs[0].port);
        for (const query of ['', '?code=', '?code=x', `?code=${'A'.repeat(43)}`, `?code=${'A'.repeat(4000)}`]) {
            assert.equal((await browser.fetch(`/auth/account/link${query}`)).status, 404, query);
        }
    });

    it('ends the session of whoever used the browser before', async () => {
        const user = { name: `former${++users}`, password: 'a long sentence of this user' };
        runAt(at, ['user', 'add', user.name, '--password-stdin'], `${user.password}\n`);
        const { name, target } = invite(at);
        const browser = await signedIn(at.webs[0].port, user);
        const copy = new Browser(at.webs[0].port);
        copy.jar = new Map(browser.jar);
        assert.equal((await use(browser, target)).status, 303);
        assert.equal(JSON.parse((await browser.fetch('/auth/session')).body).user, name);
        assert.equal(await isSignedIn(copy), false);
    });
}, clocked);
