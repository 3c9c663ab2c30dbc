// Where a browser is sent after signing in: never to another site but those that were named.
//
// The judge is not Latchkey's own reading but that of browsers: each Location is resolved as a
// browser would (WHATWG URL), and its origin is compared.
import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { formFields, raw, request } from './support/http.mjs';
import { host, openForm, own, signedIn } from './support/forms.mjs';
import { behindEach } from './support/behind.mjs';

const fallback = '/auth/account';

// As a URL is written: "%09" stands for itself and, in a second attempt, for the tab.
const attacks = String.raw`
//evil.test                     ///evil.test                    ////evil.test
/\evil.test                     \/evil.test                     \\evil.test
\\\evil.test                    /\/evil.test                    //\evil.test
/%09/evil.test                  /%0a/evil.test                  /%0d/evil.test
/%0b/evil.test                  /%0c/evil.test                  /%20/evil.test
%09//evil.test                  %20//evil.test                  %00//evil.test
/%5cevil.test                   /%2fevil.test                   /%252fevil.test
/.//evil.test                   /..//evil.test                  /x/..//evil.test
/./\evil.test                   /%2e%2e//evil.test              /;//evil.test
/%2e//evil.test                 /x/%2e%2e//evil.test            /.%2e//evil.test
.evil.test                      @evil.test                      :80@evil.test
evil.test                       http:evil.test                  https:evil.test
http:/evil.test                 https:/evil.test                http://evil.test
https://evil.test               https:///evil.test              https:\\evil.test
http:\/\/evil.test              http:///evil.test               ftp://evil.test
HtTpS://evil.test               https://evil.test:443           https://evil%2etest
https://HOST@evil.test          https://HOST:x@evil.test        https://app.example%40evil.test
https://HOST.evil.test          https://evil.testHOST           https://app.example@evil.test
https://app.example.evil.test   https://xapp.example            https://evil-app.example
https://app.example:8443        https://app.example:@evil.test  https://app.example\.evil.test
https://app.example\@evil.test  https://app.example%09.evil.test  https://app.example#@evil.test
https://evil.test#app.example   https://evil.test?https://app.example  https://evil.test/app.example
https://app.example..           https://APP.EXAMPLE%00.evil.test  https://app。example
https://app.example:            https://app.example:0443        https://app.example:65536
https://app.example:80@evil.test  https://app.example%252f@evil.test  https://app.example?@evil.test
https://evil.test。              //evil%E3%80%82test             //ｅvil.test
https://wild.example            https://.wild.example           https://a..wild.example
https://awild.example           https://a.wild.example:444      https://evil.test/.wild.example
https://evil.test:1.wild.example  https://-.evil.test\.wild.example  https://a.wild.example.evil.test
https://port.example            https://port.example:8080       https://port.example:84430
//0x7f.1                        //2130706433                    //[::ffff:7f00:1]
http://2130706433               http://0x7f.1                   http://[::1]
javascript:alert(1)             jAvAsCrIpT://%0aalert(1)        java%0ascript:alert(1)
%20javascript:alert(1)          data:text/html,x                vbscript:x
javascript://app.example/%0aalert(1)  blob:https://app.example/x  file:///etc/passwd
//evil.test/%2f%2e%2e           /auth/login?next=//evil.test    /auth/logout
/auth/%6cogout                  /%61uth/log%69n?next=/x         /auth/%4cogin%3f/../x
/%0d%0aSet-Cookie:x=y           /a%0d%0a%0d%0a<script>          /%c0%af%c0%afevil.test
/a%0aLocation:%20//evil.test    /%e5%98%8a%e5%98%8dSet-Cookie:x=y  /%e2%80%a8//evil.test
/%ff                            /%                              /%zz
`.trim().split(/\s+/).map((text) => text.replaceAll('HOST', host));

const welcome = [
    '/', '/a/b?c=d&e=f', '/a?u=https://evil.test/', '/a?x=%2F%2Fy', '/w%C3%BCrfel', '/a;v=1', '/a?', '/a/',
    '/private/page.html?x=1&y=%20', '/a?b[]=1', '/a:b@c', "/!$&'()*+,;=:@-._~", '/auth/account', '/a%25b', '/a?b?c/d',
    '/auth/session', `http://${host}/x`, `https://${host}`,
    'https://app.example/x', 'http://app.example', 'https://app.example:443/x?y=//z', 'https://APP.example/X',
    'https://a.wild.example/', 'https://a.b.wild.example/x', 'https://port.example:8443/x',
];

// The target as a query or form holds it: encoded once, and with its own escapes left to be decoded.
function encodings(target) {
    const once = encodeURIComponent(target);
    const asIs = target.split(/(%[0-9a-f]{2})/i)
        .map((part, i) => (i % 2 === 1 ? part : encodeURIComponent(part))).join('');
    return [...new Set([once, asIs])];
}

const body = (fields, next) =>
    `${Object.entries(fields).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}&next=${next}`;

// Passwords are wrong here more often than is free.
const settings = {
    site: { return_hosts: 'app.example, *.wild.example, port.example:8443' },
    throttle: { attempts: 1000 },
};

behindEach('after signing in, the browser', settings, (at) => {
    let session;
    before(async () => { session = await signedIn(at.port); });

    const resolve = (location) => new URL(location, `http://${host}/auth/login`);

    // What does not even get that far is malformed, which is fine too.
    function assertStays(answer, what) {
        if (answer.status === 400) return;
        assert.equal(answer.status, 303, what);
        assert.equal(resolve(answer.headers.location).origin, `http://${host}`, `${what}: ${answer.headers.location}`);
        assert.doesNotMatch(unescape(answer.headers.location), /^\/auth\/log(in|out)/, what);
        assert.equal(answer.headers['set-cookie']?.length ?? 0, answer.cookies.length);
        assert.ok(!answer.cookies.some((line) => line.startsWith('x=')), what);
    }

    // Signed in already, the page answers with where it would lead. It does so a few times within half
    // a minute only (loop.test.mjs): for each time that is over.
    function ask(next) {
        session.jar.delete('latchkey-hops');
        return session.fetch(`/auth/login?next=${next}`, { headers: { host } });
    }

    async function signInTo(next) {
        const { browser, fields } = await openForm(at.port);
        delete fields.next;
        return browser.post('/auth/login', body(fields, next), own);
    }

    it('would follow most of the attacks, were they let through', () => {
        const followed = attacks.filter((target) => {
            try {
                return resolve(target).origin !== `http://${host}`;
            } catch {
                return false;
            }
        });
        assert.ok(followed.length > 60, String(followed.length));
    });

    it('is led to no other site by the query', async () => {
        for (const target of attacks) {
            for (const next of encodings(target)) assertStays(await ask(next), next);
        }
    });

    it('is led to no other site by the form', async () => {
        for (const target of attacks) {
            for (const next of encodings(target)) assertStays(await signInTo(next), next);
        }
    });

    it('is shown no form that leads to another site', async () => {
        for (const target of attacks) {
            for (const next of encodings(target)) {
                const page = await request(at.port, `/auth/login?next=${next}`, { headers: { host } });
                if (page.status === 400) continue;
                assert.equal(page.status, 200, next);
                const shown = formFields(page.body).next;
                assert.equal(resolve(shown).origin, `http://${host}`, `${next}: ${shown}`);
                assert.ok(!page.body.includes('<script>alert') && !page.body.includes('javascript:'), next);
            }
        }
    });

    it('is shown no form that leads to another site after a wrong password either', async () => {
        const { browser, fields } = await openForm(at.port);
        delete fields.next;
        for (const target of attacks) {
            const answer = await browser.post('/auth/login', body({ ...fields, password: 'wrong' },
                encodeURIComponent(target)), own);
            assert.equal(answer.status, 403, target);
            assert.equal(resolve(formFields(answer.body).next).origin, `http://${host}`, target);
        }
    });

    it('is led nowhere else by any single byte', async () => {
        for (let byte = 0; byte < 256; byte++) {
            const escape = `%${byte.toString(16).padStart(2, '0')}`;
            for (const next of [`${escape}//evil.test`, `/${escape}/evil.test`, `/${escape}evil.test`,
                `//${escape}evil.test`, `https:${escape}/evil.test`, `https://app.example${escape}evil.test`,
                `https://app.example${escape}@evil.test`, `/${escape}${escape}evil.test`]) {
                const answer = await ask(next);
                if (answer.status === 400) continue;
                const { origin } = resolve(answer.headers.location);
                // "https://app.example/evil.test" is one of the named hosts.
                const named = escape === '%2f' && next.startsWith('https://app.example') ? 'https://app.example' : '';
                assert.ok([`http://${host}`, named].includes(origin), `${next}: ${answer.headers.location}`);
            }
        }
    });

    it('is led where it wanted to go', async () => {
        for (const target of welcome) {
            const next = encodeURIComponent(target);
            const asked = await ask(next);
            assert.equal(asked.status, 303, target);
            assert.equal(asked.headers.location, target);
            assert.equal((await signInTo(next)).headers.location, target);
            const page = await request(at.port, `/auth/login?next=${next}`, { headers: { host } });
            assert.equal(formFields(page.body).next, target);
        }
    });

    it('is led to the account page when it wanted nothing', async () => {
        for (const query of ['', '?', '?next', '?next=', '?other=/a', '?Next=/a', '?next[]=/a', '?x=1&nex=/a']) {
            const answer = await session.fetch(`/auth/login${query}`, { headers: { host } });
            assert.equal(answer.headers.location, fallback, query);
        }
        assert.equal((await signInTo('')).headers.location, fallback);
    });

    it('is led by the form alone once it is sent', async () => {
        const { browser, fields } = await openForm(at.port);
        delete fields.next;
        const answer = await browser.post('/auth/login?next=%2Fprivate%2F', fields, own);
        assert.equal(answer.headers.location, fallback);
    });

    it('is led by the first of two targets, which is checked', async () => {
        assertStays(await ask('%2Fa&next=%2F%2Fevil.test'), 'good first');
        assert.equal((await ask('%2F%2Fevil.test&next=%2Fa')).headers.location, fallback);
        assert.equal((await signInTo('%2Fa&next=%2F%2Fevil.test')).status, 400);
        assert.equal((await signInTo('%2F%2Fevil.test&next=%2Fa')).status, 400);
    });

    it('is led to targets up to a length', async () => {
        const long = (length) => `/${'a'.repeat(length - 1)}`;
        assert.equal((await ask(long(2048))).headers.location, long(2048));
        assert.equal((await ask(long(2049))).headers.location, fallback);
        assert.equal((await signInTo(encodeURIComponent(long(2048)))).headers.location, long(2048));
        assert.equal((await signInTo(encodeURIComponent(long(2049)))).headers.location, fallback);
        assert.equal((await signInTo(long(15000))).headers.location, fallback);
        assert.equal((await signInTo(long(65000))).status, 413);
    });

    it('is let go by the policy to the named hosts only', async () => {
        const { headers } = await request(at.port, '/auth/login');
        assert.deepEqual(/form-action ([^;]*)/.exec(headers['content-security-policy'])[1].split(' '), ["'self'",
            ...['app.example', '*.wild.example', 'port.example:8443'].flatMap((name) =>
                [`http://${name}`, `https://${name}`])]);
    });

    it('is led by no other header, and no host name is echoed', async () => {
        const spoofs = ['X-Forwarded-Host', 'X-Forwarded-Server', 'X-Host', 'X-Original-Host', 'Forwarded',
            'X-Original-URI', 'X-Original-URL', 'X-Rewrite-URL', 'X-Forwarded-Uri', 'X-Forwarded-Prefix',
            'X-Forwarded-Proto', 'Referer'];
        const headers = Object.fromEntries(spoofs.map((name) => [name, 'https://evil.test/evil.test']));
        for (const target of ['/auth/login', '/auth/account', '/private/page.html', '/auth/logout']) {
            for (const visitor of [session, { fetch: (path, options) => request(at.port, path, options) }]) {
                const answer = await visitor.fetch(target, { headers });
                assert.ok(!JSON.stringify([answer.rawHeaders, answer.body]).includes('evil'), target);
            }
        }
        for (const name of ['evil.test', 'EVIL.test:80', 'evil.test.', 'evil.test:99999', 'a,evil.test', 'u@evil.test',
            'evil.test/x', '', '"evil.test"']) {
            for (const target of ['/auth/login', '/auth/account', '/private/page.html']) {
                const answer = await raw(at.port, `GET ${target} HTTP/1.1\r\nHost: ${name}\r\nAccept: text/html\r\n` +
                    'Connection: close\r\n\r\n');
                assert.match(answer, /^HTTP\/1.1 (200|303|400|500) /, name);
                assert.doesNotMatch(answer, /evil\.|evil%/i, `${name} ${target}`);
            }
        }
    });

    it('is told nothing when its target was refused', async () => {
        const page = await request(at.port, `/auth/login?next=${encodeURIComponent('//evil.test')}`);
        const plain = await request(at.port, '/auth/login');
        const mask = (text) => text.replace(/name="csrf" value="[^"]*"/, '');
        assert.equal(mask(page.body), mask(plain.body));
    });
});
