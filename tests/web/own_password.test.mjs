// Changing the own password on the account's page.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { signedIn, isSignedIn } from './support/forms.mjs';
import { Browser, formFields } from './support/http.mjs';
import { forEachStore } from './support/stores.mjs';

const page = '/auth/account/password';
const wanted = 'seven purple elephants yawn';

let users = 0;

async function newcomer(at, web) {
    const user = { name: `owner${++users}`, password: 'a long sentence of this user' };
    at.install.addUser(user);
    return { user, browser: await signedIn(web.port, user) };
}

const change = (browser, user, fields = {}) => browser.submit(page,
    { current: user.password, new: wanted, again: wanted, ...fields });

const problemOf = (answer) => /role="alert">([^<]*)</.exec(answer.body)?.[1];

forEachStore('the own password', (at) => {
    for (const number of [0, 1]) {
        const web = () => at.webs[number];

        it(`is changed, and only the new one works (server ${number})`, async () => {
            const { user, browser } = await newcomer(at, web());
            const before = browser.jar.get('latchkey');
            const answer = await change(browser, user);
            assert.equal(answer.status, 303);
            assert.equal(answer.headers.location, '/auth/account/password?changed');
            assert.notEqual(browser.jar.get('latchkey'), before);
            const after = await browser.fetch(answer.headers.location);
            assert.match(after.body, /role="status">Your password is changed\./);
            assert.equal((await new Browser(web().port).signIn(user)).status, 403);
            assert.equal((await new Browser(web().port).signIn({ ...user, password: wanted })).status, 303);
        });

        it(`ends every other session and every copy of this one's cookie (server ${number})`, async () => {
            const { user, browser } = await newcomer(at, web());
            const other = await signedIn(web().port, user);
            const copy = new Browser(web().port);
            copy.jar = new Map(browser.jar);
            assert.equal((await change(browser, user)).status, 303);
            assert.equal(await isSignedIn(browser), true);
            assert.equal(await isSignedIn(other), false);
            assert.equal(await isSignedIn(copy), false);
        });
    }

    it('stays signed in on this device, if it was to', async () => {
        const { user } = await newcomer(at, at.webs[0]);
        const browser = new Browser(at.webs[0].port);
        await browser.signIn(user, { remember: '1' });
        const answer = await change(browser, user);
        assert.match(answer.cookies.find((line) => line.startsWith('latchkey=')), /Max-Age=2592000/);
    });

    it('tells how strong the new one is, in the answer to the form', async () => {
        const { user, browser } = await newcomer(at, at.webs[0]);
        for (const [text, strength] of [['password1234', 'weak'], [wanted, '(fair|good|strong)']]) {
            const answer = await change(browser, user, { current: 'not the password', new: text, again: text });
            assert.match(answer.body, new RegExp(`that you typed is <strong>${strength}<`));
        }
    });

    it('says that it was changed only when it was', async () => {
        const browser = await signedIn(at.webs[0].port);
        const before = await browser.fetch('/auth/account/password');
        assert.ok(!before.body.includes('role="status"'));
    });

    it('wants the present one', async () => {
        const { user, browser } = await newcomer(at, at.webs[0]);
        for (const current of ['', 'not the password', `${user.password} `, user.password.toUpperCase()]) {
            const answer = await change(browser, user, { current });
            assert.equal(answer.status, 403, current);
            assert.match(problemOf(answer), /not your present password/);
        }
        assert.equal((await browser.post(page, { new: wanted, again: wanted })).status, 403);
        assert.equal(await isSignedIn(browser), true);
        assert.equal((await new Browser(at.webs[0].port).signIn(user)).status, 303);
    });

    it('refuses what is short, common, or says who it is for, and says why', async () => {
        const { user, browser } = await newcomer(at, at.webs[0]);
        const cases = [
            ['elevenchars', /at least 12|12 characters/],
            ['password1234', /tried first/],
            ['aaaaaaaaaaaaaaaa', /repeats/],
            [`my ${user.name.toUpperCase()} is great`, /name/],
            ['long for Test & Site', /site/],
            ['x'.repeat(1025), /1,?024/],
        ];
        for (const [text, why] of cases) {
            const answer = await change(browser, user, { new: text, again: text });
            assert.equal(answer.status, 403, text);
            assert.match(problemOf(answer), why);
            assert.ok(!answer.body.includes(text), 'what was typed does not come back');
        }
        const differ = await change(browser, user, { again: `${wanted}!` });
        assert.match(problemOf(differ), /not the same/);
        assert.equal((await new Browser(at.webs[0].port).signIn(user)).status, 303);
    });

    it('takes any characters exactly as they are, up to 1,024 bytes', async () => {
        const { user, browser } = await newcomer(at, at.webs[0]);
        let current = user.password;
        const texts = [' grüne Äpfel  schmecken gut ', 'tab\there, 🦊 and a new\nline', 'é'.repeat(3) + ' Zq7 '.repeat(203)];
        for (const text of texts) {
            const answer = await change(browser, user, { current, new: text, again: text });
            assert.equal(answer.status, 303, problemOf(answer));
            const visitor = new Browser(at.webs[0].port);
            for (const other of [text.trim(), text.normalize('NFD'), `${text}.`].filter((one) => one !== text)) {
                assert.equal((await visitor.signIn({ ...user, password: other })).status, 403, other);
            }
            assert.equal((await visitor.signIn({ ...user, password: text })).status, 303, 'exactly that');
            current = text;
        }
    });

    it('is for those who are signed in, and by a form of ours', async () => {
        const { user, browser } = await newcomer(at, at.webs[0]);
        const nobody = new Browser(at.webs[0].port);
        const answer = await nobody.fetch(page);
        assert.equal(answer.status, 303);
        assert.equal(answer.headers.location, '/auth/login?next=%2Fauth%2Faccount%2Fpassword');
        const fields = { current: user.password, new: wanted, again: wanted };
        assert.equal((await browser.post(page, { ...fields, csrf: 'made up' })).status, 403);
        assert.equal((await nobody.submit('/auth/login', {})).status, 403);
        assert.equal((await nobody.post(page, fields)).status, 403);
        assert.equal((await new Browser(at.webs[0].port).signIn(user)).status, 303);
        assert.equal((await browser.fetch(page, { method: 'PUT' })).status, 405);
    });
});

// With dear hashes, so that something can happen while one is made.
forEachStore('a new password that takes its time', (at) => {
    const acts = {
        'the end of all sessions': (user) => at.install.do(['session', 'revoke-user', user.name]),
        'the end of this session': (user, id) => at.install.do(['session', 'revoke', id]),
        'a lock': (user) => {
            at.install.do(['user', 'lock', user.name]);
            at.install.do(['user', 'unlock', user.name]);
        },
    };
    for (const [name, act] of Object.entries(acts)) {
        it(`loses to ${name} that was answered meanwhile`, async () => {
            const { user, browser } = await newcomer(at, at.webs[0]);
            const form = formFields((await browser.fetch(page)).body);
            const [{ id }] = JSON.parse(at.install.do(['session', 'list', user.name, '--json']));
            const changing = browser.post(page, { ...form, current: user.password, new: wanted, again: wanted });
            await sleep(100);
            act(user, id);
            const answer = await changing;
            assert.equal(answer.headers.location, '/auth/login?signed-out');
            assert.equal(await isSignedIn(browser), false);
            assert.equal((await new Browser(at.webs[0].port).signIn({ ...user, password: wanted })).status, 403);
            assert.equal((await new Browser(at.webs[0].port).signIn(user)).status, 303);
        });
    }
}, { settings: { password: { memory: '64M', passes: '16' } } });
