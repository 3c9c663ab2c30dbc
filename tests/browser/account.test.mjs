// The pages of the own account in the browser: with script and without, on a phone and on a desk.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { lighttpd } from '../web/support/servers.mjs';
import { openPage, signIn } from './support/chromium.mjs';
import { Rounds, pathOf, textOf } from './support/rounds.mjs';

const first = 'a long sentence of this user';
const second = 'seven purple elephants yawn';

let rounds;
let users = 0;

before(async () => { rounds = await Rounds.start(lighttpd); });
after(() => rounds?.stop());

function addUser() {
    const user = { name: `person${++users}`, password: first };
    rounds.install.addUser(user);
    return user;
}

async function enter(page, user) {
    await page.goto('/auth/login');
    await signIn(page, user);
    await page.waitForURL('**/auth/account');
}

const fill = (page, label, text) => page.getByLabel(label, { exact: true }).fill(text);

async function changePassword(page, current, wanted) {
    await page.getByRole('link', { name: 'Password', exact: true }).click();
    await fill(page, 'Present password', current);
    await fill(page, 'New password', wanted);
    await fill(page, 'The new password again', wanted);
    await page.getByRole('button', { name: 'Change password' }).click();
}

// Signed in with another browser, which a test may look at.
async function elsewhere(user, act) {
    const context = await rounds.browser.newContext({ baseURL: rounds.baseURL });
    const page = await openPage(context, rounds.baseURL);
    try {
        await enter(page, user);
        await act(page);
    } finally {
        await context.close();
    }
}

for (const javaScriptEnabled of [true, false]) {
    for (const viewport of [{ width: 320, height: 640 }, { width: 1280, height: 800 }]) {
        const options = { javaScriptEnabled, viewport };

        describe(`${javaScriptEnabled ? 'with' : 'without'} script at ${viewport.width} px`, () => {
            it('a password is changed, after being told what is wrong with a weak one', () =>
                rounds.visit(async (page) => {
                    const user = addUser();
                    await enter(page, user);
                    await changePassword(page, first, 'password1234');
                    assert.match(await page.getByRole('alert').innerText(), /\w/);
                    await changePassword(page, 'not the password', second);
                    assert.match(await page.getByRole('alert').innerText(), /not your present password/);
                    await changePassword(page, first, second);
                    assert.match(await page.getByRole('status').innerText(), /is changed/);
                    await elsewhere({ ...user, password: second }, async () => {});
                }, options));

            it('another device is found in the list and signed out', () => rounds.visit(async (page) => {
                const user = addUser();
                await enter(page, user);
                await elsewhere(user, async (other) => {
                    await page.getByRole('link', { name: 'Devices' }).click();
                    assert.match(await page.getByRole('listitem').filter({ hasText: 'this one' }).innerText(), /Chrom/);
                    await page.getByRole('button', { name: /^Sign out .*signed in/ }).click();
                    assert.equal(await page.getByRole('status').innerText(), 'You are signed out there.');
                    assert.equal(await page.getByRole('listitem').count(), 1);
                    await other.goto('/auth/account');
                    assert.match(pathOf(other), /^\/auth\/login\?next=/);
                });
            }, options));

            it('signing out everywhere ends all, and tells so', () => rounds.visit(async (page) => {
                await enter(page, addUser());
                await page.goto('/auth/account/sessions');
                await page.getByRole('button', { name: 'Sign out everywhere' }).click();
                assert.equal(await page.getByRole('status').innerText(), 'You are signed out.');
                await page.goto('/auth/account');
                assert.match(pathOf(page), /^\/auth\/login/);
            }, options));

            it('what happened is listed', () => rounds.visit(async (page) => {
                const user = addUser();
                await page.goto('/auth/login');
                await signIn(page, { ...user, password: 'not the password' });
                await signIn(page, user);
                await page.getByRole('link', { name: 'Activity' }).click();
                const text = await textOf(page);
                assert.ok(text.includes('A sign-in failed'));
                assert.ok(text.includes('Signed in'));
            }, options));

            it('a link sets a password once', () => rounds.visit(async (page) => {
                const user = addUser();
                const [link] = rounds.install.do(['user', 'reset-link', user.name]).split('\n');
                await page.goto(link);
                await fill(page, 'New password', second);
                await fill(page, 'The new password again', second);
                await page.getByRole('button', { name: 'Set password' }).click();
                await page.waitForURL('**/auth/account');
                assert.ok((await textOf(page)).includes(user.name));
                await page.goto(link);
                assert.match(await textOf(page), /not good any more/);
            }, options));
        });
    }
}

describe('passwords that are typed', () => {
    it('are shown one by one', () => rounds.visit(async (page) => {
        await enter(page, addUser());
        await page.goto('/auth/account/password');
        await page.getByRole('button', { name: 'Show new password', exact: true }).click();
        const types = await page.evaluate(() => ['current', 'new', 'again'].map((id) => document.getElementById(id).type));
        assert.deepEqual(types, ['password', 'text', 'password']);
    }));

    it('are found by password managers', () => rounds.visit(async (page) => {
        const user = addUser();
        await enter(page, user);
        await page.goto('/auth/account/password');
        const of = (name) => page.locator(`[name=${name}]`).getAttribute('autocomplete');
        assert.deepEqual(await Promise.all(['username', 'current', 'new', 'again'].map(of)),
            ['username', 'current-password', 'new-password', 'new-password']);
        assert.equal(await page.locator('[name=username]').inputValue(), user.name);
    }));
});
