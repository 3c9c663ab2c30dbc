// A browser that does not bring the cookie back is told the likely reason, and is not sent in circles.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';
import { alice } from '../web/support/install.mjs';
import { servers } from '../web/support/servers.mjs';
import { signIn } from './support/chromium.mjs';
import { Rounds, textOf } from './support/rounds.mjs';

const host = 'site.example.test';

// A site on another port whose gate never sees the cookie: it sends everybody to sign in.
const startBlindSite = (at) => new Promise((resolve) => {
    const blind = { visits: 0 };
    blind.server = http.createServer((request, answer) => {
        blind.visits++;
        const back = encodeURIComponent(blind.url);
        answer.writeHead(303, { location: `${at.options.baseURL}/auth/login?next=${back}`, connection: 'close' }).end();
    }).listen(0, '127.0.0.1', () => {
        blind.url = `http://${host}:${blind.server.address().port}/elsewhere`;
        resolve(blind);
    });
});

const told = async (page) => {
    await page.goto('/auth/login?next=/private/page.html');
    await signIn(page, alice);
    return page.getByRole('alert').innerText();
};

for (const server of servers) {
    const among = (what, session, define) => describe(`${what}, behind ${server.name}`, () => {
        const at = {};
        before(async () => {
            at.blind = await startBlindSite(at);
            const site = { return_hosts: new URL(at.blind.url).host };
            at.rounds = await Rounds.start(server, { host }, { session, site });
            at.options = { baseURL: at.rounds.baseURL.replace('127.0.0.1', host) };
        });
        after(async () => {
            at.blind?.server.close();
            await at.rounds?.stop();
        });
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
            await page.goto(at.blind.url);
            assert.match(await textOf(page), /back and forth/);
            assert.ok(at.blind.visits > 2 && at.blind.visits < 10, `${at.blind.visits}`);
            page.faults.splice(0); // the other site was visited, as it should be
        }, at.options));

        it('cookies that are switched off are named', () => at.rounds.visit(async (page) => {
            await page.goto('/auth/login');
            await page.context().clearCookies();
            await signIn(page, alice);
            assert.match(await page.getByRole('alert').innerText(), /cookies are switched off/);
        }, at.options));
    });
}
