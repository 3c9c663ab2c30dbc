// Every page that people may see, and how one gets there: for the tests of how pages look, and for
// their pictures. The site is deploy/demo's behind lighttpd, which shows error pages of ours for
// all paths below a program; nginx makes its own.
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

async function tryWrong(page) {
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
    constructor(browser, baseURL) {
        this.browser = browser;
        this.baseURL = baseURL;
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
        await entry.open(page);
        await page.waitForLoadState();
        return page;
    }
}
