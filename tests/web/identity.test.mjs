// Programs behind the web server learn from the gate who it is, and from nobody else.
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Install, alice } from './support/install.mjs';
import { apache } from './support/apache.mjs';
import { startFastcgi, startHttp } from './support/backends.mjs';
import { Browser, raw, request } from './support/http.mjs';
import { deploy, lighttpd, nginx } from './support/servers.mjs';

const claims = {
    'Remote-User': 'mallory', Remote_User: 'mallory', 'Remote.User': 'mallory', 'REMOTE-GROUPS': 'mallory',
    remote_groups: 'mallory', 'Remote-Email': 'mallory', 'Remote-Name': 'mallory', Proxy: 'mallory',
    Authorization: `Basic ${Buffer.from('mallory:x').toString('base64')}`, 'X-Mallory': 'seen',
};

// Whole requests that say who it is in ways that a server might overlook.
const spoofs = [
    (more) => `${more}\r\nRemote-User: mallory\r\nRemote-User: mallory\r\n\r\n`,
    (more) => `${more}, Remote-User\r\nRemote-User: mallory\r\n\r\n`,
    (more) => `${more}, Cookie, Remote-User, Remote-Groups\r\n\r\n`,
    (more) => `${more},remote-user,REMOTE-USER\r\nConnection: Remote-User\r\nProxy-Connection: Remote-User\r\n\r\n`,
    (more) => `${more}\r\nremote-user:mallory\r\nREMOTE-USER:\tmallory\t\r\nRemote_User: mallory\r\n\r\n`,
    (more) => `${more}\r\nRemote-User : mallory\r\n\r\n`,
    (more) => `${more}\r\nX: y\r\n Remote-User: mallory\r\n\r\n`,
    (more) => `${more}\r\nX: y\nRemote-User: mallory\r\n\r\n`,
    (more) => `${more}\r\nTransfer-Encoding: chunked\r\nTrailer: Remote-User\r\n\r\n3\r\na=b\r\n0\r\n` +
        'Remote-User: mallory\r\nRemote-Groups: mallory\r\n\r\n',
].map((lines) => (target, cookie) => {
    const rest = lines(`${target} HTTP/1.1\r\nHost: h\r\nCookie: ${cookie}\r\nConnection: close`);
    return `${rest.includes('chunked') ? 'POST' : 'GET'} ${rest}`;
});

// The names by which a program is told something, in one spelling.
const told = (body) => body.split('\n').filter(Boolean).map((line) => {
    const at = line.indexOf('=');
    return [line.slice(0, at).toUpperCase().replace(/[^A-Z0-9]/g, '_').replace(/^HTTP_/, ''), line.slice(at + 1)];
});

// What a program was told of a visitor whom nobody signed in.
function assertToldNothing(answer, what) {
    assert.ok([200, 404, 502].includes(answer.status), `${what}: ${answer.status}`);
    const lines = told(answer.body);
    assert.ok(lines.some(([name]) => name === 'X_MALLORY'), `the control, ${what}: other headers arrive`);
    for (const [name, value] of lines) {
        if (name.startsWith('REMOTE_') && !['REMOTE_ADDR', 'REMOTE_PORT'].includes(name)) {
            assert.equal(value, '', `${what}: ${name}`);
        }
        assert.notEqual(value, 'mallory', `${what}: ${name}`);
    }
}

describe('programs behind nginx', () => {
    let install;
    let web;
    let backends;

    before(async () => {
        install = await new Install().init().serve();
        backends = { http: await startHttp(), fastcgi: await startFastcgi() };
        const places = Object.entries({
            proxy: `include ${deploy('nginx/latchkey-proxy.conf')}; proxy_pass http://127.0.0.1:${backends.http.port};`,
            fastcgi: `include ${deploy('nginx/latchkey-fastcgi.conf')}; fastcgi_pass 127.0.0.1:${backends.fastcgi.port};`,
        }).map(([name, lines]) => `
location /open/${name} { ${lines} }
location /closed/${name} { include ${deploy('nginx/latchkey-protect.conf')}; ${lines} }`);
        web = await nginx.start(install, { locations: `underscores_in_headers on;
error_page 404 = /open/proxy;
location /gone/ { return 404; }
location /spare/ { error_page 405 502 = /open/fastcgi; proxy_pass http://127.0.0.1:1; }
location /led/ { rewrite ^/led/(.*)$ /open/$1 last; }
${places.join('')}` });
    });
    after(async () => {
        await web?.stop();
        await backends?.http.stop();
        await backends?.fastcgi.stop();
        assert.equal(await install?.close(), 0);
    });

    it('learn nothing of an anonymous visitor\'s claims by any method, nor by a detour', async () => {
        for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND']) {
            for (const target of ['/open/proxy', '/open/fastcgi', '/led/proxy', '/led/fastcgi', '/gone/x',
                '/spare/x']) {
                assertToldNothing(await request(web.port, target, { method, headers: claims }), `${method} ${target}`);
            }
            for (const target of ['/closed/proxy', '/closed/fastcgi']) {
                const refused = await request(web.port, target, { method, headers: claims });
                assert.ok([303, 401].includes(refused.status), `${method} ${target}`);
                assert.doesNotMatch(refused.body, /mallory/i);
            }
        }
    });

    for (const carrier of ['proxy', 'fastcgi']) {
        it(`learn nothing of an anonymous visitor's claims (${carrier})`, async () => {
            assertToldNothing(await request(web.port, `/open/${carrier}`, { headers: claims }), carrier);
        });

        it(`learn from the gate who is signed in, once (${carrier})`, async () => {
            const browser = new Browser(web.port);
            await browser.signIn(alice);
            const answer = await browser.fetch(`/closed/${carrier}`, { headers: claims });
            assert.equal(answer.status, 200);
            const lines = told(answer.body);
            const values = (wanted) => lines.filter(([name]) => name === wanted).map(([, value]) => value);
            for (const [name, value] of [['REMOTE_USER', 'alice'], ['REMOTE_NAME', 'Alice Example'],
                ['REMOTE_EMAIL', 'alice@example.org'], ['REMOTE_GROUPS', 'staff']]) {
                assert.deepEqual(values(name), carrier === 'fastcgi' ? [value, value] : [value], name);
            }
            assert.ok(!lines.some(([, value]) => value === 'mallory'));
        });
    }

    it('learn it from the gate also where headers come twice, as trailers, or are named in Connection', async () => {
        const browser = new Browser(web.port);
        await browser.signIn(alice);
        for (const carrier of ['proxy', 'fastcgi']) {
            for (const [place, user] of [['open', ''], ['closed', 'alice']]) {
                for (const lines of spoofs) {
                    const answer = await raw(web.port, lines(`/${place}/${carrier}`, browser.cookie));
                    assert.match(answer, /^HTTP\/1.1 (200|400) /, answer);
                    assert.doesNotMatch(answer, /mallory/, `${place} ${carrier} ${lines('', '')}`);
                    if (answer.startsWith('HTTP/1.1 200') && user !== '') {
                        assert.match(answer, /^remote[-_]user=alice\r?$/mi);
                    }
                }
            }
        }
    });
});

describe('programs behind apache', () => {
    let install;
    let web;
    let backends;

    before(async () => {
        install = await new Install().init().serve();
        backends = { proxy: await startHttp(), fastcgi: await startFastcgi() };
        const places = Object.entries(backends).map(([name, { port }]) => `
<Location "/open/${name}">
    ProxyPass "${name === 'proxy' ? 'http' : 'fcgi'}://127.0.0.1:${port}"
</Location>
<Location "/closed/${name}">
    Include ${deploy('apache/latchkey-protect.conf')}
    ProxyPass "${name === 'proxy' ? 'http' : 'fcgi'}://127.0.0.1:${port}"
</Location>`);
        web = await apache.start(install, { extra: places.join('') });
    });
    after(async () => {
        await web?.stop();
        await backends?.proxy.stop();
        await backends?.fastcgi.stop();
        assert.equal(await install?.close(), 0);
    });

    it('learn nothing of an anonymous visitor\'s claims by any method', async () => {
        for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND']) {
            for (const carrier of ['proxy', 'fastcgi']) {
                const told = await request(web.port, `/open/${carrier}`, { method, headers: claims });
                assertToldNothing(told, `${method} ${carrier}`);
                const refused = await request(web.port, `/closed/${carrier}`, { method, headers: claims });
                assert.equal(refused.status, method === 'GET' ? 303 : 401, `${method} ${carrier}`);
                assert.doesNotMatch(refused.body, /mallory/i);
            }
        }
    });

    it('learn from the gate who is signed in, in each way that programs may listen to', async () => {
        const browser = new Browser(web.port);
        await browser.signIn(alice);
        for (const target of ['/closed/proxy', '/closed/fastcgi', '/private/echo.cgi']) {
            const answer = await browser.fetch(target, { headers: claims });
            assert.equal(answer.status, 200, target);
            const lines = told(answer.body);
            for (const [wanted, value] of [['REMOTE_USER', 'alice'], ['REMOTE_NAME', 'Alice Example'],
                ['REMOTE_EMAIL', 'alice@example.org'], ['REMOTE_GROUPS', 'staff']]) {
                const values = lines.filter(([name]) => name === wanted).map(([, text]) => text.trim());
                assert.ok(values.length > 0, `${target}: ${wanted}`);
                assert.deepEqual([...new Set(values)], [value], `${target}: ${wanted}`);
            }
            assert.ok(!lines.some(([, value]) => value === 'mallory'), target);
        }
    });

    it('learn it from the gate also where headers come twice, as trailers, or are named in Connection', async () => {
        const browser = new Browser(web.port);
        await browser.signIn(alice);
        let passed = 0;
        for (const target of ['/closed/proxy', '/closed/fastcgi', '/private/echo.cgi', '/open/proxy',
            '/open/fastcgi']) {
            for (const lines of spoofs) {
                const answer = await raw(web.port, lines(target, browser.cookie));
                assert.match(answer, /^HTTP\/1.1 (200|400) /, target);
                // A line that is folded is part of the one before it.
                assert.doesNotMatch(answer, /^[^=]*remote[^=]*=.*mallory/mi, `${target} ${lines('', '')}`);
                if (!answer.startsWith('HTTP/1.1 200') || target.startsWith('/open/')) continue;
                passed++;
                assert.match(answer, /^remote[-_]user=alice\r?$/mi, target);
            }
        }
        assert.ok(passed >= 12, `${passed} passed`);
    });
});

describe('programs behind lighttpd', () => {
    let install;
    let web;

    before(async () => {
        install = await new Install().init().serve();
        web = await lighttpd.start(install, { extra: 'cgi.assign = ( ".cgi" => "" )' });
        const open = path.join(install.folder, 'site', 'public', 'echo.cgi');
        copyFileSync(path.join(install.folder, 'site', 'private', 'echo.cgi'), open);
    });
    after(async () => {
        await web?.stop();
        assert.equal(await install?.close(), 0);
    });

    // The variables that a program may take for who it is.
    const identity = (body) => Object.fromEntries(body.split('\n')
        .map((line) => /^((?:HTTP_)?(?:REMOTE_(?:USER|NAME|EMAIL|GROUPS|IDENT)|AUTH_TYPE|PROXY))=(.*?)\r?$/.exec(line))
        .filter(Boolean).map(([, name, value]) => [name, value]));
    const truth = {
        REMOTE_USER: 'alice', REMOTE_NAME: 'Alice Example', REMOTE_EMAIL: 'alice@example.org', REMOTE_GROUPS: 'staff',
    };

    // lighttpd makes HTTP_REMOTE_USER of "Remote.User" too, as latchkey-protect.conf says.
    const { 'Remote.User': dotted, ...spelt } = claims;

    it('learn nothing of a visitor by REMOTE_USER where no gate is asked', async () => {
        for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND']) {
            const answer = await request(web.port, '/public/echo.cgi', { method, headers: claims });
            assert.match(answer.body, /HTTP_X_MALLORY=seen/, method);
            const told = identity(answer.body);
            for (const name of Object.keys(truth)) assert.equal(told[name], undefined, `${method} ${name}`);
        }
    });

    it('are not even started for who is not signed in', async () => {
        for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND']) {
            const answer = await request(web.port, '/private/echo.cgi', { method, headers: claims });
            assert.equal(answer.status, method === 'GET' ? 303 : 401, method);
            assert.doesNotMatch(answer.body, /GATEWAY_INTERFACE/, method);
        }
    });

    it('learn from the gate who is signed in', async () => {
        const browser = new Browser(web.port);
        await browser.signIn(alice);
        for (const [name, value] of [...Object.entries(spelt), ['Variable-REMOTE_USER', 'mallory'],
            ['VARIABLE_REMOTE_USER', 'mallory'], ['X-Remote-User', 'mallory'],
            ['remote-user', 'mallory'], ['REMOTE_USER', 'mallory']]) {
            const answer = await browser.fetch('/private/echo.cgi', { headers: { [name]: value } });
            const told = Object.entries(identity(answer.body))
                .filter(([key, text]) => !key.startsWith('HTTP_') || text !== '');
            assert.deepEqual(Object.fromEntries(told), truth, name);
        }
        const headers = { ...spelt, 'Remote.User': dotted };
        const all = identity((await browser.fetch('/private/echo.cgi', { headers })).body);
        for (const [name, value] of Object.entries(truth)) assert.equal(all[name], value);
    });

    it('learn it from the gate also where headers come twice, as trailers, or are named in Connection', async () => {
        const browser = new Browser(web.port);
        await browser.signIn(alice);
        let passed = 0;
        for (const lines of spoofs) {
            const answer = await raw(web.port, lines('/private/echo.cgi', browser.cookie));
            passed += answer.startsWith('HTTP/1.1 200');
            assert.match(answer, /^HTTP\/1.1 (200|400) /);
            assert.doesNotMatch(answer, /REMOTE_USER=.*mallory/, lines('', ''));
            if (answer.startsWith('HTTP/1.1 200')) assert.match(answer, /^REMOTE_USER=alice\r?$/m);
        }
        assert.ok(passed >= 4, `${passed} passed`);
    });

    it('get the body that was sent to them, and the query', async () => {
        const browser = new Browser(web.port);
        await browser.signIn(alice);
        const body = 'x'.repeat(200000);
        const answer = await browser.fetch('/private/echo.cgi?a=%20b',
            { method: 'POST', body, headers: { 'content-type': 'text/plain' } });
        assert.equal(answer.status, 200);
        assert.match(answer.body, /^QUERY_STRING=a=%20b\r?$/m);
        assert.ok(answer.body.endsWith(body));
        const refused = await request(web.port, '/private/echo.cgi', { method: 'POST', body });
        assert.equal(refused.status, 401);
    });
});
