// What users see of what happened to their account.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isSignedIn, signedIn } from './support/forms.mjs';
import { Browser } from './support/http.mjs';
import { behindEach } from './support/behind.mjs';

const page = '/auth/account/activity';
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';

let users = 0;

function addUser(at, name = `active${++users}`) {
    const user = { name, password: 'a long sentence of this user' };
    at.install.addUser(user);
    return user;
}

const eventsOf = async (browser) => [...(await browser.fetch(page)).body
    .matchAll(/<strong>([^<]*)<\/strong>\s*(?:<small>([^<]*)<\/small>)?/g)].map(([, what, detail]) => [what, detail]);

behindEach('recent activity', {}, (at) => {
    it('has sign-ins, failures, changed passwords and sign-outs of the own account', async () => {
        const user = addUser(at);
        await new Browser(at.port).signIn({ ...user, password: 'not the password' });
        const browser = new Browser(at.port);
        await browser.submit('/auth/login', { username: user.name, password: user.password }, { 'user-agent': firefox });
        const wanted = 'seven purple elephants yawn';
        await browser.submit('/auth/account/password', { current: user.password, new: wanted, again: wanted });
        const other = await signedIn(at.port, { ...user, password: wanted });
        await other.signOut();
        const events = await eventsOf(browser);
        assert.deepEqual(events.map(([what]) => what).slice(0, 5),
            ['Signed out', 'Signed in', 'Password set', 'Signed in', 'A sign-in failed']);
        assert.equal(events[3][1], 'Firefox on Linux');
        assert.equal(await isSignedIn(browser), true);
    });

    it('has nothing of others, nor of a former owner of the name', async () => {
        const former = addUser(at);
        await signedIn(at.port, former);
        at.install.do(['user', 'remove', former.name]);
        const user = addUser(at, former.name);
        const browser = await signedIn(at.port, user);
        assert.equal((await eventsOf(browser)).filter(([what]) => what === 'Signed in').length, 1);
        const nobody = new Browser(at.port);
        assert.equal((await nobody.fetch(page)).headers.location, '/auth/login?next=%2Fauth%2Faccount%2Factivity');
    });

    it('shows the last forty', async () => {
        const user = addUser(at);
        for (let i = 0; i < 45; i++) await signedIn(at.port, user);
        const browser = await signedIn(at.port, user);
        assert.equal((await eventsOf(browser)).length, 40);
    });
});
