// A program of somebody's own that keeps a cart in the session (examples/cart.c), with each store.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { sanitizers } from './support/direct.mjs';
import { signedIn } from './support/forms.mjs';
import { Browser, formFields, request } from './support/http.mjs';
import { Install, alice, bob, programs } from './support/install.mjs';
import { lighttpd } from './support/servers.mjs';

const cart = path.resolve(programs, '../examples/cart');
const limit = 2000;

// What the data of a session costs in the cookie store cannot be set; a cookie has 4096 bytes.
const stores = [
    { name: 'database', parallel: true, room: limit },
    { name: 'cache', parallel: true, room: limit },
    { name: 'cookie', parallel: false },
];

// lighttpd starts the program by itself; /cgi-cart runs it as CGI.
function configure(install) {
    const environment = Object.entries({ LATCHKEY_CONFIG: install.config, ...sanitizers() })
        .map(([name, value]) => `"${name}" => "${value}"`).join(', ');
    return `
fastcgi.server += ( "/cart" => ((
    "bin-path" => "${cart}", "socket" => "${install.run}/cart", "max-procs" => 4,
    "check-local" => "disable", "bin-environment" => ( ${environment} )
)))
setenv.set-environment = ( ${environment} )
alias.url = ( "/cgi-cart" => "${cart}" )
server.modules += ( "mod_alias" )
$HTTP["url"] =~ "^/cgi-cart" { cgi.assign = ( "" => "" ) }
`;
}

const unescape = (text) => text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');

// The articles of a page, as { article: remark }.
function articles(page) {
    return Object.fromEntries([...page.matchAll(/<li>([^:]+): (.*) <form/g)]
        .map(([, article, remark]) => [article, unescape(remark)]));
}

async function show(browser, at = '/cart') {
    const page = await browser.fetch(at);
    assert.equal(page.status, 200);
    return { ...page, articles: articles(page.body), csrf: formFields(page.body).csrf };
}

async function add(browser, article, remark, at = '/cart') {
    const { csrf } = await show(browser, at);
    return browser.post(at, { csrf, action: 'add', article, remark });
}

async function put(browser, article, remark, at = '/cart') {
    const answer = await add(browser, article, remark, at);
    assert.equal(answer.status, 303, answer.body);
    assert.equal(answer.headers.location, at);
}

for (const store of stores) {
    describe(`a cart in the session, store ${store.name}`, () => {
        let install;
        let web;

        before(async () => {
            install = await new Install({ session: { secure_cookie: 'no', store: store.name, data_limit: limit } })
                .init().serve();
            web = await lighttpd.start(install, { extra: configure(install) });
        });
        after(async () => {
            const output = web?.output ?? '';
            await web?.stop();
            assert.equal(await install?.close(), 0);
            assert.doesNotMatch(output, /Sanitizer|runtime error/);
        });

        it('nobody is sent to the login page and back', async () => {
            const browser = new Browser(web.port);
            const answer = await browser.fetch('/cart');
            assert.equal(answer.status, 303);
            const target = new URL(answer.headers.location, 'http://host');
            assert.equal(target.pathname, '/auth/login');
            assert.equal(target.searchParams.get('next'), '/cart');
            const back = await browser.submit(answer.headers.location,
                { username: alice.name, password: alice.password });
            assert.equal(back.headers.location, '/cart');
            assert.match((await show(browser)).body, /The cart of Alice Example/);
        });

        it('keeps what was put into it until it is taken out', async () => {
            const browser = await signedIn(web.port);
            assert.deepEqual((await show(browser)).articles, {});
            await put(browser, 'bread', 'dark & <fresh> "rye"');
            await put(browser, 'apples', 'five');
            const page = await show(browser);
            assert.deepEqual(page.articles, { apples: 'five', bread: 'dark & <fresh> "rye"' });
            assert.doesNotMatch(page.body, /<fresh>/);
            await browser.post('/cart', { csrf: page.csrf, action: 'remove', article: 'apples' });
            await put(browser, 'bread', 'white');
            assert.deepEqual((await show(browser)).articles, { bread: 'white' });
        });

        it('is the same cart for CGI', async () => {
            const browser = await signedIn(web.port);
            await put(browser, 'bread', 'by FastCGI');
            await put(browser, 'milk', 'by CGI', '/cgi-cart');
            assert.deepEqual((await show(browser)).articles, { bread: 'by FastCGI', milk: 'by CGI' });
            assert.deepEqual((await show(browser, '/cgi-cart')).articles, { bread: 'by FastCGI', milk: 'by CGI' });
        });

        it('is of one session alone', async () => {
            const one = await signedIn(web.port);
            const other = await signedIn(web.port);
            const stranger = await signedIn(web.port, bob);
            await put(one, 'bread', 'mine');
            assert.deepEqual((await show(other)).articles, {});
            assert.deepEqual((await show(stranger)).articles, {});
            assert.match((await show(stranger)).body, /The cart of Bob &lt;b&gt;&amp;&quot;/);
            assert.deepEqual((await show(one)).articles, { bread: 'mine' });
        });

        it('is gone with the session', async () => {
            const browser = await signedIn(web.port);
            await put(browser, 'bread', 'mine');
            const { cookie } = browser;
            const { csrf } = await show(browser);
            await browser.signOut();
            assert.equal((await browser.fetch('/cart')).status, 303);
            const headers = { cookie, 'content-type': 'application/x-www-form-urlencoded' };
            for (let i = 0; i < 20; i++) { // by any of its processes
                assert.equal((await request(web.port, '/cart', { headers })).status, 303);
                const body = `csrf=${csrf}&action=add&article=a&remark=b`;
                assert.equal((await request(web.port, '/cart', { method: 'POST', headers, body })).status, 303);
            }
            await browser.signIn(alice);
            assert.deepEqual((await show(browser)).articles, {});
        });

        it('does not go over to whoever signs in next in the same browser', async () => {
            const browser = await signedIn(web.port);
            await put(browser, 'bread', 'mine');
            const { cookie } = browser;
            const { csrf } = formFields((await browser.fetch('/auth/logout')).body);
            const answer = await browser.post('/auth/login', { csrf, username: bob.name, password: bob.password });
            assert.equal(answer.status, 303);
            assert.deepEqual((await show(browser)).articles, {});
            assert.equal((await request(web.port, '/cart', { headers: { cookie } })).status, 303);
        });

        it('that is saved while its session is signed out brings nobody back', async () => {
            for (let round = 0; round < 20; round++) {
                const browser = await signedIn(web.port);
                const { csrf } = await show(browser);
                const { cookie } = browser;
                const headers = { cookie, 'content-type': 'application/x-www-form-urlencoded' };
                const saves = Array.from({ length: 4 }, (_, i) => request(web.port, i % 2 === 0 ? '/cart' : '/cgi-cart',
                    { method: 'POST', headers, body: `csrf=${csrf}&action=add&article=number-${i}&remark=${round}` }));
                assert.equal((await browser.signOut()).headers.location, '/auth/login?signed-out');
                const given = (await Promise.all(saves)).map((answer) => answer.cookies[0]?.split(';')[0]).filter(Boolean);
                for (const one of [cookie, ...given]) {
                    for (const target of ['/cart', '/private/page.html', '/auth/account']) {
                        assert.equal((await request(web.port, target, { headers: { cookie: one } })).status, 303, target);
                    }
                }
            }
        });

        it('refuses too much, says by how many bytes, and stays as it was', async () => {
            const browser = await signedIn(web.port);
            await put(browser, 'bread', 'x'.repeat(1000));
            const refused = await add(browser, 'cake', 'y'.repeat(3000));
            assert.equal(refused.status, 413);
            assert.deepEqual(refused.cookies, []);
            const excess = Number(/this would be (\d+) bytes more than/.exec(refused.body)?.[1]);
            assert.deepEqual(articles(refused.body), { bread: 'x'.repeat(1000) });
            assert.deepEqual((await show(browser)).articles, { bread: 'x'.repeat(1000) });
            // By exactly so many bytes less it fits.
            assert.equal((await add(browser, 'cake', 'y'.repeat(3000 - excess + 1))).status, 413);
            await put(browser, 'cake', 'y'.repeat(3000 - excess));
            assert.equal((await show(browser)).articles.cake.length, 3000 - excess);
            if (store.room !== undefined) assert.equal(excess, 'cart.bread'.length + 1000 + 9 + 3000 - store.room);
            for (const line of (await add(browser, 'cake', 'y')).cookies) assert.ok(line.length <= 4096);
        });

        it('takes no form of another site or session', async () => {
            const browser = await signedIn(web.port);
            const { csrf } = await show(await signedIn(web.port, bob));
            for (const value of [csrf, '', 'x', undefined]) {
                const fields = { action: 'add', article: 'bread', remark: 'theirs' };
                const answer = await browser.post('/cart', value === undefined ? fields : { csrf: value, ...fields });
                assert.equal(answer.status, 403);
            }
            assert.deepEqual((await show(browser)).articles, {});
        });

        it('takes no article without a sound name', async () => {
            const browser = await signedIn(web.port);
            for (const article of ['', 'a b', 'a/b', '<b>', 'x'.repeat(59), 'ä']) {
                assert.equal((await add(browser, article, '1')).status, 400, article);
            }
            assert.deepEqual((await show(browser)).articles, {});
            await put(browser, 'x'.repeat(58), '1');
        });

        it('loses nothing when many put into it at once', async () => {
            const browser = await signedIn(web.port);
            const { csrf } = await show(browser);
            const headers = { cookie: browser.cookie, 'content-type': 'application/x-www-form-urlencoded' };
            const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => request(web.port, '/cart',
                { method: 'POST', headers, body: `csrf=${csrf}&action=add&article=number-${i}&remark=${i}` })));
            for (const answer of answers) assert.equal(answer.status, 303, answer.body);
            if (store.parallel) {
                assert.equal(Object.keys((await show(browser)).articles).length, 50);
            } else { // documented: the last answer wins, with all that it says
                browser.jar.set('latchkey', /^latchkey=([^;]*)/.exec(answers[7].cookies[0])[1]);
                assert.deepEqual((await show(browser)).articles, { 'number-7': '7' });
            }
        });
    });
}
