// The forms by keyboard alone, with and without script.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { alice } from '../web/support/install.mjs';
import { lighttpd, secret } from '../web/support/servers.mjs';
import { signIn, signOut } from './support/chromium.mjs';
import { describeFocus } from './support/measure.mjs';
import { Rounds, focusedId, goBack, pathOf, protectedPage, textOf, waitForFocus } from './support/rounds.mjs';

let rounds;
before(async () => { rounds = await Rounds.start(lighttpd); });
after(() => rounds?.stop());

const typeOfPassword = (page) => page.locator('#password').getAttribute('type');

// Where Tab leads, one name for each stop, each of which must show that it has the focus.
async function tabThrough(page, count) {
    const stops = [];
    for (let i = 0; i < count; i++) {
        if (i > 0) await page.keyboard.press('Tab');
        const stop = await page.evaluate(describeFocus);
        assert.ok(stop.isVisible, `${stop.id} does not show the focus`);
        stops.push(stop.id);
    }
    return stops;
}

describe('by keyboard', () => {
    for (const colorScheme of ['light', 'dark']) {
        it(`all of the login form is reached in order and shows it, in ${colorScheme}`, () =>
            rounds.visit(async (page) => {
                await page.goto('/auth/login');
                await waitForFocus(page, 'username');
                assert.deepEqual(await tabThrough(page, 5),
                    ['username', 'password', 'reveal', 'remember', 'Sign in']);
                await page.keyboard.press('Shift+Tab');
                assert.equal((await page.evaluate(describeFocus)).id, 'remember');
            }, { colorScheme }));
    }

    it('one signs in, looks around and signs out', () => rounds.visit(async (page) => {
        const { keyboard } = page;
        await page.goto(protectedPage);
        await waitForFocus(page, 'username');
        await keyboard.type(alice.name);
        await keyboard.press('Tab');
        await keyboard.type(alice.password);
        await keyboard.press('Tab');
        await keyboard.press('Tab');
        await keyboard.press('Space');
        assert.ok(await page.locator('[name=remember]').isChecked());
        await keyboard.press('Tab');
        await keyboard.press('Enter');
        await page.waitForURL('**/private/**');
        assert.ok((await textOf(page)).includes(secret));
        await page.goto('/auth/logout');
        await page.locator('[type=submit]:focus').waitFor();
        assert.deepEqual(await tabThrough(page, 2), ['Sign out', 'Stay signed in']);
        await keyboard.press('Shift+Tab');
        await keyboard.press('Enter');
        await page.waitForURL('**/auth/login?signed-out');
    }));

    it('Enter in a field signs in', () => rounds.visit(async (page) => {
        await page.goto(protectedPage);
        await waitForFocus(page, 'username');
        await page.keyboard.type(alice.name);
        await page.keyboard.press('Tab');
        await page.keyboard.type(alice.password);
        await page.keyboard.press('Enter');
        await page.waitForURL('**/private/**');
    }));
});

describe('the button that shows the password', () => {
    it('turns the field into text and back, and says what it would do next', () =>
        rounds.visit(async (page) => {
            await page.goto('/auth/login');
            await page.locator('#password').fill('some words');
            await page.getByRole('button', { name: 'Show password' }).click();
            assert.equal(await typeOfPassword(page), 'text');
            assert.equal(await page.locator('#password').inputValue(), 'some words');
            assert.equal(await focusedId(page), 'password');
            await page.getByRole('button', { name: 'Hide password' }).click();
            assert.equal(await typeOfPassword(page), 'password');
        }));

    it('is undone when the form is sent, so that nothing remembers the text', () =>
        rounds.visit(async (page) => {
            await page.goto('/auth/login');
            await page.locator('#username').fill('alice');
            await page.locator('#password').fill('some words');
            await page.locator('#reveal').click();
            await page.evaluate(() => {
                document.forms[0].addEventListener('submit', (event) => event.preventDefault());
            });
            await page.keyboard.press('Enter');
            assert.equal(await typeOfPassword(page), 'password');
        }));

    it('does not lie over what is typed', () => rounds.visit(async (page) => {
        await page.goto('/auth/login');
        const room = await page.evaluate(() => {
            const field = document.getElementById('password');
            const button = document.getElementById('reveal').getBoundingClientRect();
            return button.left - field.getBoundingClientRect().right + parseFloat(getComputedStyle(field).paddingRight);
        });
        assert.ok(room >= 0, `${room} px`);
    }));
});

describe('without script', () => {
    const off = { javaScriptEnabled: false };

    it('all works, and what needs script is not there', () => rounds.visit(async (page) => {
        await page.goto(protectedPage);
        assert.ok(!await page.locator('#reveal').isVisible());
        await signIn(page, { name: 'alice', password: 'not the password' });
        assert.match(await page.getByRole('alert').innerText(), /do not go together/);
        await signIn(page, alice, { remember: true });
        await page.waitForURL('**/private/**');
        assert.equal(pathOf(page), protectedPage);
        assert.ok((await textOf(page)).includes(secret));
        await page.goto('/auth/account');
        assert.ok((await textOf(page)).includes('Alice Example'));
        await signOut(page);
        assert.equal(await page.getByRole('status').innerText(), 'You are signed out.');
        await goBack(page);
        assert.ok(!(await page.content()).includes('Alice Example'));
    }, off));
});

describe('password managers', () => {
    it('find the fields by the names that the standard gives them', () => rounds.visit(async (page) => {
        await page.goto('/auth/login');
        assert.equal(await page.locator('#username').getAttribute('autocomplete'), 'username');
        assert.equal(await page.locator('#password').getAttribute('autocomplete'), 'current-password');
        assert.equal(await page.locator('form').count(), 1);
    }));
});
