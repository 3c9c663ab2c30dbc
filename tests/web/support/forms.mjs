// The login and logout forms, as tests send them.
import assert from 'node:assert/strict';
import { alice } from './install.mjs';
import { Browser, formFields } from './http.mjs';

// The name under which the pages are asked for, and the origin of their own forms.
export const host = 'auth.example.test';
export const own = { host, origin: `http://${host}` };

export const formType = 'application/x-www-form-urlencoded';

// A login form that waits to be sent, filled in rightly.
export async function openForm(port) {
    const browser = new Browser(port);
    const page = await browser.fetch('/auth/login');
    return { browser, fields: { ...formFields(page.body), username: alice.name, password: alice.password } };
}

export async function signedIn(port, user = alice) {
    const browser = new Browser(port);
    assert.equal((await browser.signIn(user)).status, 303);
    return browser;
}

export const isSignedIn = async (browser) => (await browser.fetch('/auth/session')).status === 200;

// The csrf value that goes with the browser's token.
export async function csrfOf(browser) {
    return formFields((await browser.fetch('/auth/logout')).body).csrf;
}

export const without = (fields, name) => Object.fromEntries(Object.entries(fields).filter(([key]) => key !== name));
