// Signing in and out, as a browser sees it, through each web server.
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { apache } from './support/apache.mjs';
import { Install, alice, bob } from './support/install.mjs';
import { Browser, raw, request } from './support/http.mjs';
import { secret, servers } from './support/servers.mjs';

for (const server of [...servers, apache]) {
    describe(`behind ${server.name}`, () => {
        let install;
        let web;

        before(async () => {
            // Passwords are wrong here more often than is free.
            install = await new Install({ throttle: { attempts: 1000 } }).init().serve();
            web = await server.start(install);
        });
        after(async () => {
            await web?.stop();
            assert.equal(await install?.close(), 0);
        });

        it('open pages are open', async () => {
            assert.equal((await request(web.port, '/public/page.html')).status, 200);
        });

        it('a protected page leads to the login page and back again', async () => {
            const browser = new Browser(web.port);
            const first = await browser.fetch('/private/page.html?a=1&b=%20');
            assert.equal(first.status, 303);
            assert.equal(first.headers.location,
                '/auth/login?next=%2Fprivate%2Fpage.html%3Fa%3D1%26b%3D%2520');
            assert.ok(!first.body.includes(secret));
            const signedIn = await browser.submit(first.headers.location,
                { username: alice.name, password: alice.password });
            assert.equal(signedIn.status, 303);
            assert.equal(signedIn.headers.location, '/private/page.html?a=1&b=%20');
            const page = await browser.fetch(signedIn.headers.location);
            assert.equal(page.status, 200);
            assert.ok(page.body.includes(secret));
            assert.match(page.headers['cache-control'], /no-store/);
        });

        it('a program gets 401, no redirect', async () => {
            const answer = await request(web.port, '/private/page.html',
                { headers: { accept: 'application/json' } });
            assert.equal(answer.status, 401);
            const posted = await request(web.port, '/private/page.html',
                { method: 'POST', body: 'a=1', headers: { 'content-type': 'text/plain' } });
            assert.equal(posted.status, 401);
        });

        it('whoever signed in lands on the account page by default', async () => {
            const browser = new Browser(web.port);
            assert.equal((await browser.signIn(alice)).headers.location, '/auth/account');
            const account = await browser.fetch('/auth/account');
            assert.equal(account.status, 200);
            assert.match(account.body, /Alice Example/);
            assert.match(account.body, /alice@example\.org/);
        });

        it('the account page of nobody leads to the login page', async () => {
            const answer = await request(web.port, '/auth/account');
            assert.equal(answer.status, 303);
            assert.equal(answer.headers.location, '/auth/login?next=%2Fauth%2Faccount');
        });

        it('names cannot bring markup into a page', async () => {
            const browser = new Browser(web.port);
            await browser.signIn(bob);
            const account = await browser.fetch('/auth/account');
            assert.ok(account.body.includes('Bob &lt;b&gt;&amp;&quot;'));
            assert.ok(!account.body.includes('<b>'));
        });

        it('who is signed in is told as JSON', async () => {
            const nobody = await request(web.port, '/auth/session');
            assert.equal(nobody.status, 401);
            assert.deepEqual(JSON.parse(nobody.body), { user: null });
            const browser = new Browser(web.port);
            await browser.signIn(alice);
            const answer = await browser.fetch('/auth/session');
            assert.equal(answer.status, 200);
            assert.equal(answer.headers['content-type'], 'application/json');
            const told = JSON.parse(answer.body);
            const { expires, ...who } = told;
            assert.deepEqual(who, { user: 'alice', name: 'Alice Example', groups: ['staff'] });
            assert.ok(Math.abs(expires - Date.now() / 1000 - 7200) < 30);
        });

        it('wrong passwords, unknown names and locked users get one and the same answer', async () => {
            const locked = { name: 'locked', password: 'the password of a locked user' };
            install.addUser(locked);
            install.do(['user', 'lock', 'locked']);
            const bodies = [];
            for (const [username, password] of [
                ['alice', 'wrong'], ['alice', ''], ['alice', `${alice.password} `],
                ['alice', alice.password.toUpperCase()], ['nobody', alice.password],
                [locked.name, locked.password], ['alice', 'x'.repeat(1025)],
            ]) {
                const browser = new Browser(web.port);
                const answer = await browser.submit('/auth/login', { username, password });
                assert.equal(answer.status, 403);
                assert.equal((await browser.fetch('/auth/session')).status, 401);
                bodies.push(answer.body.replace(/name="csrf" value="[^"]*"/, '')
                    .replace(/value="(alice|nobody|locked)"/, ''));
            }
            assert.equal(new Set(bodies).size, 1);
            assert.match(bodies[0], /do not go together/);
        });

        it('user names are compared without case', async () => {
            const browser = new Browser(web.port);
            assert.equal((await browser.signIn({ ...alice, name: 'ALICE' })).status, 303);
        });

        it('sign-in gives a token that the browser never had, and the old one is dead', async () => {
            const browser = new Browser(web.port);
            await browser.fetch('/auth/login');
            const anonymous = browser.cookie;
            await browser.signIn(alice);
            const first = browser.cookie;
            assert.notEqual(first, anonymous);
            // Signing in over a session ends that session.
            const page = await browser.fetch('/auth/logout');
            const csrf = /name="csrf" value="([^"]*)"/.exec(page.body)[1];
            const again = await browser.post('/auth/login',
                { csrf, username: bob.name, password: bob.password });
            assert.equal(again.status, 303);
            assert.notEqual(browser.cookie, first);
            assert.equal((await request(web.port, '/private/page.html', { headers: { cookie: first } })).status, 303);
            assert.equal(JSON.parse((await browser.fetch('/auth/session')).body).user, 'bob');
        });

        it('a failed sign-in leaves the session that is there', async () => {
            const browser = new Browser(web.port);
            await browser.signIn(alice);
            const page = await browser.fetch('/auth/logout');
            const csrf = /name="csrf" value="([^"]*)"/.exec(page.body)[1];
            const answer = await browser.post('/auth/login', { csrf, username: 'bob', password: 'wrong' });
            assert.equal(answer.status, 403);
            assert.equal(answer.cookies.length, 0);
            assert.equal(JSON.parse((await browser.fetch('/auth/session')).body).user, 'alice');
        });

        it('who is signed in already is sent on', async () => {
            const browser = new Browser(web.port);
            await browser.signIn(alice);
            const answer = await browser.fetch('/auth/login?next=%2Fprivate%2Fpage.html');
            assert.equal(answer.status, 303);
            assert.equal(answer.headers.location, '/private/page.html');
        });

        it('a copied cookie is dead after sign-out, on every worker', async () => {
            const browser = new Browser(web.port);
            await browser.signIn(alice);
            const copied = browser.cookie;
            const out = await browser.signOut();
            assert.equal(out.status, 303);
            assert.equal(out.headers.location, '/auth/login?signed-out');
            assert.match(out.cookies[0], /^latchkey=;.*Max-Age=0/);
            assert.match((await browser.fetch(out.headers.location)).body, /You are signed out/);
            for (let i = 0; i < 40; i++) {
                const answer = await request(web.port, '/private/page.html', { headers: { cookie: copied } });
                assert.equal(answer.status, 303);
            }
        });

        it('a GET of the logout page ends nothing', async () => {
            const browser = new Browser(web.port);
            await browser.signIn(alice);
            assert.equal((await browser.fetch('/auth/logout')).status, 200);
            assert.equal((await browser.fetch('/auth/session')).status, 200);
        });

        it('a new password, a lock, a removal and the owner end sessions at once', async () => {
            const carol = { name: 'carol', password: 'the first password of carol' };
            const acts = [
                () => install.do(['user', 'passwd', 'carol', '--password-stdin'], 'the second password\n'),
                () => install.do(['user', 'lock', 'carol']),
                () => install.do(['user', 'remove', 'carol']),
                () => install.do(['session', 'revoke-user', 'carol']),
                () => install.do(['session', 'revoke-all']),
                () => install.do(['session', 'revoke',
                    JSON.parse(install.do(['session', 'list', 'carol', '--json']))[0].id]),
                () => install.do(['secret', 'revoke']),
            ];
            for (const act of acts) {
                install.try(['user', 'remove', 'carol']);
                install.addUser(carol);
                const browser = new Browser(web.port);
                assert.equal((await browser.signIn(carol)).status, 303);
                assert.equal((await browser.fetch('/private/page.html')).status, 200);
                act();
                for (let i = 0; i < 12; i++) {
                    assert.equal((await browser.fetch('/private/page.html')).status, 303, String(act));
                }
            }
        });

        it('a rotated secret keeps sessions', async () => {
            const browser = new Browser(web.port);
            await browser.signIn(alice);
            install.do(['secret', 'rotate']);
            assert.equal((await browser.fetch('/private/page.html')).status, 200);
        });

        it('groups that a location asks for are needed', async () => {
            const staff = new Browser(web.port);
            await staff.signIn(alice);
            assert.equal((await staff.fetch('/team/page.html')).status, 200);
            const guest = new Browser(web.port);
            await guest.signIn(bob);
            const answer = await guest.fetch('/team/page.html');
            assert.equal(answer.status, 403);
            assert.ok(!answer.body.includes(secret));
            assert.equal((await guest.fetch('/private/page.html')).status, 200);
        });

        it('a header sent twice keeps nobody out', async () => {
            const answer = await raw(web.port, 'GET /auth/login HTTP/1.1\r\nHost: localhost\r\n' +
                'Accept-Language: de\r\nAccept-Language: en\r\nConnection: close\r\n\r\n');
            assert.match(answer, /^HTTP\/1\.1 200 /);
        });

        it('anonymous visitors leave nothing on the server', async () => {
            install.do(['session', 'revoke-all']);
            const sizes = () => [install.state, install.run].flatMap((folder) => readdirSync(folder)
                .map((name) => `${name} ${statSync(`${folder}/${name}`).size}`));
            const before = sizes();
            // Nobody, somebody with a token of nobody, and with what looks like one.
            const { cookies } = await request(web.port, '/auth/login');
            const all = [undefined, cookies[0].split(';')[0], `latchkey=${'A'.repeat(104)}`, 'latchkey=', 'latchkey=x'];
            for (let i = 0; i < 50; i++) {
                for (const target of ['/auth/login', '/auth/logout', '/auth/account', '/auth/session', '/private/page.html']) {
                    const cookie = all[i % all.length];
                    await request(web.port, target, { headers: cookie === undefined ? {} : { cookie } });
                }
            }
            assert.deepEqual(sizes(), before);
            assert.deepEqual(JSON.parse(install.do(['session', 'list', '--json'])), []);
        });
    });
}
