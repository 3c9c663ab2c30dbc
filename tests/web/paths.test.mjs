// However an address is written, what is protected is shown to nobody who is not signed in.
//
// The judge is text that stands in the protected files only: whatever the web server makes of an
// address, it must not come out. The same requests with a session show that there is something to
// come out.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import http2 from 'node:http2';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { apache } from './support/apache.mjs';
import { Install, alice, bob } from './support/install.mjs';
import { Browser, raw, request } from './support/http.mjs';
import { signedIn } from './support/forms.mjs';
import { behindEach } from './support/behind.mjs';
import { claims, file, heads, methods, targets } from './support/addresses.mjs';
import { deploy, freePort, lighttpd, nginx, secret, servers } from './support/servers.mjs';

// What stands in the pages, and what echo.cgi says or is made of.
const isShown = (text) => text.includes(secret) || /GATEWAY_INTERFACE=|printf "Content/.test(text);
const wait = 1200;

// Sends each head, with some lines more; the answers, in order. Several at a time, for some are
// never answered.
async function sendAll(port, requests, more = '') {
    const answers = [];
    for (let i = 0; i < requests.length; i += 40) {
        answers.push(...await Promise.all(requests.slice(i, i + 40).map((head) => {
            const text = `${head.replaceAll('\n', '\r\n')}\r\nAccept: text/html\r\n${more}Connection: close\r\n\r\n`;
            return raw(port, Buffer.from(text, 'latin1'), wait).catch(() => '');
        })));
    }
    return answers;
}

behindEach('the protected page', {}, (at) => {
    let cookie;
    before(async () => { cookie = (await signedIn(at.port)).cookie; });

    // Nobody sees it, and somebody sees it at least `times` times.
    async function assertHidden(requests, times) {
        const anonymous = await sendAll(at.port, requests);
        anonymous.forEach((answer, i) => assert.ok(!isShown(answer), `${requests[i]}\n${answer}`));
        const shown = (await sendAll(at.port, requests, `Cookie: ${cookie}\r\n`)).filter(isShown);
        assert.ok(shown.length >= times, `${shown.length} of ${requests.length} are shown to a user`);
        return anonymous;
    }

    it('is hidden at every address', async () => {
        await assertHidden(targets.map((target) => `GET ${target} HTTP/1.1\nHost: h`), 30);
    });

    it('is hidden in every form of request', async () => {
        await assertHidden(heads.map((head) => head.replaceAll('$', file)), 5);
    });

    it('is hidden from every method, and nothing is done', async () => {
        const asked = methods.map((method) => `${method} ${file} HTTP/1.1\nHost: h\nContent-Length: 0`);
        const answers = await assertHidden(asked, 0);
        answers.forEach((answer, i) => assert.doesNotMatch(answer, /^HTTP\/1.1 (2|304)/, methods[i]));
    });

    it('is hidden whatever a client claims', async () => {
        for (const [name, value] of Object.entries(claims)) {
            for (const method of ['GET', 'OPTIONS']) {
                const answer = await request(at.port, file, { method, headers: { [name]: value } });
                assert.ok([303, 401].includes(answer.status), `${name}: ${answer.status}`);
                assert.ok(!isShown(answer.body), name);
            }
        }
        const all = await request(at.port, file, { headers: claims });
        assert.ok([303, 401].includes(all.status));
    });

    it('is hidden behind an open one in the same connection', async () => {
        const open = 'GET /public/page.html HTTP/1.1\r\nHost: h\r\n\r\n';
        const closed = `GET ${file} HTTP/1.1\r\nHost: h\r\nAccept: text/html\r\n`;
        const answers = async (bytes) => (await raw(at.port, bytes, wait)).split(/^(?=HTTP\/1\.1 )/m);
        const last = 'Connection: close\r\n\r\n';
        assert.deepEqual((await answers(`${open}${closed}${last}`)).map((text) => text.slice(9, 12)), ['200', '303']);
        const signed = `${closed}Cookie: ${cookie}\r\n`;
        const after = await answers(`${signed}\r\n${closed}\r\n${signed}\r\n${closed}${last}`);
        assert.deepEqual(after.map(isShown), [true, false, true, false]);
    });

    it('says nothing of what was sent to it, and does nothing with it later', async () => {
        const body = 'comment=<script>alert(1)</script>&marker=kept-for-later';
        const headers = { 'content-type': 'application/x-www-form-urlencoded' };
        for (const target of [file, '/private/echo.cgi']) {
            const browser = new Browser(at.port);
            const refused = await browser.fetch(target, { method: 'POST', body, headers });
            assert.equal(refused.status, 401);
            assert.ok(!/kept-for-later|alert/.test(JSON.stringify([refused.rawHeaders, refused.body])), target);
            assert.deepEqual(refused.cookies, []);
            const answer = await browser.signIn(alice, { next: target });
            assert.equal(answer.headers.location, target);
            assert.doesNotMatch((await browser.fetch(target)).body, /kept-for-later|alert/);
        }
    });

    it('is not kept for others', async () => {
        for (let i = 0; i < 5; i++) {
            const browser = await signedIn(at.port);
            const shown = await browser.fetch(file);
            assert.ok(isShown(shown.body));
            assert.match(shown.headers['cache-control'], /private.*no-store|no-store.*private/);
            for (const headers of [{}, { 'if-none-match': shown.headers.etag ?? '*' },
                { 'if-modified-since': shown.headers['last-modified'] ?? new Date().toUTCString() }]) {
                const answer = await request(at.port, file, { headers });
                assert.equal(answer.status, 303);
                assert.match(answer.headers['cache-control'], /no-store/);
                assert.equal(answer.headers.expires, undefined);
            }
            for (const options of [{ headers: { accept: 'application/json' } }, { method: 'POST', body: 'x' }]) {
                const answer = await request(at.port, file, options);
                assert.equal(answer.status, 401);
                assert.match(answer.headers['cache-control'], /no-store/);
            }
        }
    });

    it('leads back to itself, however it was asked for', async () => {
        for (const target of [`${file}?a=1&b=%20`, `${file}?u=https://x.example/`, '/private/?']) {
            const browser = new Browser(at.port);
            const asked = await browser.fetch(target);
            assert.equal(asked.headers.location, `/auth/login?next=${encodeURIComponent(target)}`);
        }
        const odd = ['//evil.test/../private/page.html', '/private//evil.test',
            '/private/..//evil.test/..%2f../private/'];
        const answers = await sendAll(at.port, odd.map((target) => `GET ${target} HTTP/1.1\nHost: h`));
        for (const [i, answer] of answers.entries()) {
            const location = /^location: (.*)\r$/mi.exec(answer)?.[1] ?? '/';
            assert.equal(new URL(location, 'http://h/').host, 'h', `${odd[i]}: ${location}`);
        }
    });
}, [...servers, apache]);

// One HTTP/2 request; resolves to { status, body }.
function ask2(session, fields) {
    return new Promise((resolve) => {
        let status = 0;
        let body = '';
        const stream = session.request({ ':method': 'GET', accept: 'text/html', ...fields });
        stream.setEncoding('utf8').on('response', (got) => { status = got[':status']; })
            .on('data', (text) => { body += text; });
        stream.on('error', () => {}).on('close', () => resolve({ status, body }));
        stream.end();
    });
}

for (const server of [lighttpd, nginx]) {
    describe(`the protected page over HTTP/2, behind ${server.name}`, () => {
        let install;
        let web;
        let port;

        before(async () => {
            install = await new Install().init().serve();
            port = await freePort();
            web = await server.start(install, { locations: `listen 127.0.0.1:${port} http2;` });
            if (server === lighttpd) port = web.port;
        });
        after(async () => {
            await web?.stop();
            assert.equal(await install?.close(), 0);
        });

        it('is hidden however its path is written', async () => {
            const { cookie } = await signedIn(web.port);
            let shown = 0;
            for (const target of targets.filter((text) => !/[\x00-\x20\x80-\xff]/.test(text))) {
                const session = http2.connect(`http://127.0.0.1:${port}`);
                session.on('error', () => {});
                const [anonymous, user] = await Promise.all([ask2(session, { ':path': target }),
                    ask2(session, { ':path': target, cookie })]);
                assert.ok(!isShown(anonymous.body), target);
                shown += isShown(user.body) ? 1 : 0;
                session.close();
            }
            assert.ok(shown >= 30, String(shown));
        });

        it('is shown to whose cookies come in crumbs', async () => {
            const { cookie } = await signedIn(web.port);
            const session = http2.connect(`http://127.0.0.1:${port}`);
            assert.ok(isShown((await ask2(session, { ':path': file, cookie: ['a=1', cookie, 'b=2'] })).body));
            assert.equal((await ask2(session, { ':path': file, cookie: ['a=1', 'b=2'] })).status, 303);
            const theirs = (await signedIn(web.port, bob)).cookie;
            assert.equal((await ask2(session, { ':path': file, cookie: [cookie, 'a=1', theirs] })).status, 303);
            assert.ok(isShown((await ask2(session, { ':path': file, cookie: [cookie, cookie] })).body));
            assert.equal((await ask2(session, { ':path': file, ':method': 'OPTIONS', cookie: 'a' })).status, 401);
            session.close();
        });
    });
}

// What leads a request from an open address to a protected one within the server.
const detours = [
    {
        server: nginx,
        options: {
            locations: `
location /missing/ { error_page 404 = ${file}; }
location /tried/ { try_files /nothing ${file}; }
location /public/indexed/ { index nothing.html ${file}; }
location /rewritten/ { rewrite ^ ${file} last; }
location /refused/ { deny all; error_page 403 = ${file}; }
location /listed/ { include ${deploy('nginx/latchkey-protect.conf')}; autoindex on; }
location /missing/team/ { error_page 404 = /team/page.html; }`,
        },
        groups: ['/missing/team/x'],
        paths: ['/missing/x', '/tried/x', '/public/indexed/', '/rewritten/x', '/refused/x', '/listed/'],
    },
    {
        server: lighttpd,
        options: {
            extra: `
server.modules += ( "mod_rewrite" )
url.rewrite-once = ( "^/rewritten/team/" => "/team/page.html", "^/rewritten/" => "${file}" )
url.rewrite-if-not-file = ( "^/tried/" => "${file}" )
server.error-handler-404 = "${file}"
$HTTP["url"] =~ "^/listed(/|$)" {
    include "${deploy('lighttpd/latchkey-protect.conf')}"
    dir-listing.activate = "enable"
}`,
        },
        paths: ['/rewritten/x', '/tried/x', '/missing/x', '/listed/'],
        groups: ['/rewritten/team/x'],
    },
    {
        server: apache,
        options: {
            extra: `
ErrorDocument 404 ${file}
RewriteEngine On
RewriteRule ^/rewritten/team/ /team/page.html [PT]
RewriteRule ^/rewritten/ ${file} [PT]
<Location "/tried">
    FallbackResource ${file}
</Location>
<Location "/public/indexed">
    DirectoryIndex nothing.html ${file}
</Location>
<Location "/public/indexed/team">
    DirectoryIndex nothing.html /team/page.html
</Location>
<Location "/refused">
    Require all denied
    ErrorDocument 403 ${file}
</Location>
<Location "/missing/team">
    ErrorDocument 404 /team/page.html
</Location>
<Location "/listed">
    Include ${deploy('apache/latchkey-protect.conf')}
    Options +Indexes
</Location>`,
        },
        paths: ['/rewritten/x', '/tried/x', '/missing/x', '/public/indexed/', '/refused/x', '/listed/'],
        groups: ['/rewritten/team/x', '/missing/team/x', '/public/indexed/team/'],
    },
];

for (const { server, options, paths, groups } of detours) {
    describe(`the protected page by detours, behind ${server.name}`, () => {
        let install;
        let web;

        before(async () => {
            install = await new Install().init().serve();
            install.makeFolder('site', 'public', 'indexed', 'team');
            // Whose name says what the pages say, for lists of files.
            writeFileSync(path.join(install.makeFolder('site', 'listed'), `${secret}.html`), '');
            web = await server.start(install, options);
        });
        after(async () => {
            await web?.stop();
            assert.equal(await install?.close(), 0);
        });

        it('is hidden', async () => {
            const user = await signedIn(web.port);
            for (const target of paths) {
                assert.ok(!isShown((await request(web.port, target)).body), target);
                assert.ok(isShown((await user.fetch(target)).body), `the control: ${target}`);
            }
        });

        it('is hidden from who is not in the group', async () => {
            const [member, guest] = [await signedIn(web.port), await signedIn(web.port, bob)];
            for (const target of groups) {
                assert.ok(!isShown((await guest.fetch(target)).body), target);
                assert.ok(isShown((await member.fetch(target)).body), `the control: ${target}`);
            }
        });
    });
}

describe('a site of which all but the pages is protected, behind apache', () => {
    let install;
    let web;

    before(async () => {
        install = await new Install().init().serve();
        web = await apache.start(install, {
            extra: `<LocationMatch "^/(?!auth/(login|logout|account|session)(/|$))">
    Include ${deploy('apache/latchkey-protect.conf')}
</LocationMatch>`,
        });
    });
    after(async () => {
        await web?.stop();
        assert.equal(await install?.close(), 0);
    });

    it('is open at its pages only', async () => {
        const closed = ['/', '/public/page.html', '/auth/', '/auth/nothing', '/auth/loginx',
            '/auth/../public/page.html', '/auth/login/../../public/page.html', '/AUTH/login'];
        const answers = await sendAll(web.port, closed.map((target) => `GET ${target} HTTP/1.1\nHost: h`));
        answers.forEach((answer, i) => assert.doesNotMatch(answer, /<p>open|HTTP\/1\.1 404/, closed[i]));
        const browser = await signedIn(web.port);
        assert.equal((await browser.fetch('/auth/account/sessions')).status, 200);
        assert.match((await browser.fetch('/public/page.html')).body, /<p>open/);
        assert.equal((await browser.signOut()).headers.location, '/auth/login?signed-out');
        assert.equal((await browser.fetch('/public/page.html')).status, 303);
    });
});
