// A browser that does not bring the cookie back is told the likely reason, and is not sent in circles.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { alice } from '../web/support/install.mjs';
import { servers } from '../web/support/servers.mjs';
import { signIn } from './support/chromium.mjs';
import { Rounds, textOf } from './support/rounds.mjs';

const host = 'site.example.test';

const told = async (page) => {
    await page.goto('/auth/login?next=/private/page.html');
    await signIn(page, alice);
    return page.getByRole('alert').innerText();
};

for (const server of servers) {
    const among = (what, session, define) => describe(`${what}, behind ${server.name}`, () => {
        const at = {};
        before(async () => {
            at.rounds = await Rounds.start(server, { host }, { session });
            at.options = { baseURL: at.rounds.baseURL.replace('127.0.0.1', host) };
        });
        after(() => at.rounds?.stop());
        define(at);
    });

    among('Secure cookies over plain http', { secure_cookie: 'yes' }, (at) => {
        it('the page says to open it over https', () => at.rounds.visit(async (page) => {
            assert.match(await told(page), /over http\b.*https:\/\//);
        }, at.options));
    });

    among('a cookie for another domain', { secure_cookie: 'no', cookie_domain: 'example.org' }, (at) => {
        it('the page names both', () => at.rounds.visit(async (page) => {
            const text = await told(page);
            assert.ok(text.includes('example.org') && text.includes(host), text);
        }, at.options));
    });

    among('a site that does not see the cookie', { secure_cookie: 'no' }, (at) => {
        it('the circle ends with a page that says why', () => at.rounds.visit(async (page) => {
            await page.goto('/auth/login');
            await signIn(page, alice);
            await page.waitForURL('**/auth/account');
            // What sends the browser back each time, as a gate without the cookie would.
            await page.route('**/elsewhere', (route) => route.fulfill({
                status: 303, headers: { location: '/auth/login?next=/elsewhere' },
            }));
            await page.goto('/auth/login?next=/elsewhere');
            assert.match(await textOf(page), /back and forth/);
        }, at.options));

        it('cookies that are switched off are named', () => at.rounds.visit(async (page) => {
            await page.goto('/auth/login');
            await page.context().clearCookies();
            await signIn(page, alice);
            assert.match(await page.getByRole('alert').innerText(), /cookies are switched off/);
        }, at.options));
    });
}
