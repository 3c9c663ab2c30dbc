// Every page that people may see, and how one gets there: for the tests of how pages look, and for
// their pictures. The site is deploy/demo's behind lighttpd, which shows error pages of ours for
// all paths below a program; nginx makes its own.
import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import path from 'node:path';
import { Install, alice, bob, root } from '../../web/support/install.mjs';
import { lighttpd } from '../../web/support/servers.mjs';
import { openPage, signIn } from './chromium.mjs';

// Names and groups as long as they may be, without a place to break them.
export const longest = { name: 'x'.repeat(64), password: 'a sentence for the longest name' };
const longestDetails = [
    '--name', 'W'.repeat(128),
    '--email', `${'m'.repeat(64)}@${'d'.repeat(60)}.example.org`,
    '--group', 'g'.repeat(64), '--group', 'h'.repeat(64), '--group', 'staff',
];

export const people = { alice, bob, longest };

export async function startSite() {
    const install = new Install({ site: { name: 'A small site' }, workers: { login: 2 } }).init();
    install.addUser(longest, ...longestDetails);
    await install.serve();
    const web = await lighttpd.start(install, {
        extra: `
index-file.names = ( "index.html", "index.cgi" )
mimetype.assign += ( ".css" => "text/css" )
`,
    });
    cpSync(path.join(root, 'deploy/demo/site'), path.join(install.folder, 'site'), { recursive: true });
    return {
        install,
        baseURL: `http://127.0.0.1:${web.port}`,
        async stop() {
            await web.stop();
            await install.close();
        },
    };
}

const goto = (target) => (page) => page.goto(target);

async function tryWrong(page, { install }) {
    install.do(['throttle', 'clear']); // this page is opened more often than one may be wrong
    await page.goto('/auth/login');
    await signIn(page, { name: 'carol', password: 'not the password' });
}

// A form whose cookie is gone by the time it is sent.
const sendWithoutCookie = (target, button) => async (page) => {
    await page.goto(target);
    await page.context().clearCookies();
    for (const field of await page.locator('input[required]').all()) await field.fill('something');
    await page.getByRole('button', { name: button }).click();
};

async function reveal(page) {
    await page.goto('/auth/login');
    await page.getByLabel('User name').fill('alice');
    await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
    await page.getByRole('button', { name: 'Show password' }).click();
}

async function tryTooOften(page, { install }) {
    install.do(['throttle', 'clear']);
    await page.goto('/auth/login');
    for (let i = 0; i < 6; i++) await signIn(page, { name: 'dora', password: 'not the password' });
}

// A form of the account, filled in and sent.
const send = (target, values, button) => async (page) => {
    await page.goto(target);
    for (const [label, value] of Object.entries(values)) await page.getByLabel(label, { exact: true }).fill(value);
    await page.getByRole('button', { name: button }).click();
};

const weak = { 'New password': 'password1234', 'The new password again': 'password1234' };

// A page that asks for the password, because the sign-in was a while ago.
async function askAgain(page, { install }) {
    spawnSync('sqlite3', [path.join(install.state, 'latchkey.db'),
        'PRAGMA busy_timeout = 5000; UPDATE session SET created_s = created_s - 700']);
    await page.goto('/auth/account/sessions');
    await page.getByRole('button', { name: 'Sign out everywhere' }).click();
}

async function openLink(page, { install }) {
    const [link] = install.do(['user', 'reset-link', longest.name]).split('\n');
    await page.goto(link);
}

// The cookie by which the login page counts how often it sent the browser on.
const withHops = (hops, target) => async (page, { baseURL }) => {
    await page.context().addCookies([{ name: 'latchkey-hops', value: hops, url: baseURL }]);
    await page.goto(target);
};

// `who` is signed in before; `open` leads to the page.
export const pages = [
    { name: 'login', open: goto('/auth/login') },
    { name: 'login-signed-out', open: goto('/auth/login?signed-out') },
    { name: 'login-wrong', open: tryWrong },
    { name: 'login-stale', open: sendWithoutCookie('/auth/login', 'Sign in') },
    { name: 'login-revealed', open: reveal },
    { name: 'account', who: 'alice', open: goto('/auth/account') },
    { name: 'account-remembered', who: 'bob', remember: true, open: goto('/auth/account') },
    { name: 'account-longest', who: 'longest', open: goto('/auth/account') },
    { name: 'password', who: 'alice', open: goto('/auth/account/password') },
    {
        name: 'password-refused', who: 'alice',
        open: send('/auth/account/password', { 'Present password': 'something', ...weak }, 'Change password'),
    },
    { name: 'devices', who: 'alice', open: goto('/auth/account/sessions') },
    { name: 'devices-ended', who: 'longest', open: goto('/auth/account/sessions?ended') },
    { name: 'devices-confirm', who: 'bob', open: askAgain },
    { name: 'activity', who: 'alice', open: goto('/auth/account/activity') },
    { name: 'link', open: openLink },
    { name: 'link-refused', open: goto('/auth/account/link?code=nothing') },
    { name: 'login-throttled', open: tryTooOften },
    { name: 'login-no-cookie', open: withHops('1', '/auth/login') },
    { name: 'loop', who: 'alice', open: withHops('5', '/auth/login?next=/private/') },
    { name: 'logout', who: 'alice', open: goto('/auth/logout') },
    { name: 'logout-longest', who: 'longest', open: goto('/auth/logout') },
    { name: 'logout-nobody', open: goto('/auth/logout') },
    { name: 'error-403', who: 'alice', open: sendWithoutCookie('/auth/logout', 'Sign out') },
    { name: 'error-404', open: goto('/auth/login/nothing') },
    { name: 'gate-403', who: 'bob', open: goto('/team/page.html') },
    { name: 'demo-open', open: goto('/') },
    { name: 'demo-private', who: 'alice', open: goto('/private/') },
    { name: 'demo-private-longest', who: 'longest', open: goto('/private/') },
    { name: 'demo-notes', who: 'alice', open: goto('/private/notes.html') },
];

// Opens pages of the list, signing everybody in only once.
export class Visits {
    constructor(browser, site) {
        this.browser = browser;
        this.site = site;
        this.baseURL = site.baseURL;
        this.states = new Map();
    }

    async stateOf({ who, remember }) {
        if (who === undefined) return undefined;
        if (!this.states.has(who)) {
            const context = await this.browser.newContext({ baseURL: this.baseURL });
            const page = await context.newPage();
            await page.goto('/auth/login');
            await signIn(page, people[who], { remember });
            await page.waitForURL('**/auth/account');
            this.states.set(who, await context.storageState());
            await context.close();
        }
        return this.states.get(who);
    }

    // `options` as for a context: size, colours and so on. Closing page.context() ends the visit.
    async open(entry, options = {}) {
        const storageState = await this.stateOf(entry);
        const context = await this.browser.newContext({ baseURL: this.baseURL, storageState, ...options });
        const page = await openPage(context, this.baseURL);
        await entry.open(page, this.site);
        await page.waitForLoadState();
        return page;
    }
}
