// Nothing that a client sends, and nothing that the database holds, becomes a header line of an
// answer; and no host or scheme that a client names stands in one.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { apache } from './support/apache.mjs';
import { behindEach } from './support/behind.mjs';
import { askFastcgi, required, runCgi } from './support/direct.mjs';
import { formType, host, openForm, own, signedIn } from './support/forms.mjs';
import { encodeForm, raw } from './support/http.mjs';
import { Install, until } from './support/install.mjs';
import { many } from './support/replay.mjs';
import { secret, servers } from './support/servers.mjs';
import { readAnswer, readPrinted } from './support/strict.mjs';

const file = '/private/page.html';
const line = 'X-Injected: yes';

// What might end a line and begin another, raw and escaped; the last are U+560A and U+560D, whose low
// bytes are a line end.
const breaks = ['\r\n', '\n', '\r', '\0', '\r\n ', '\n\t', '\x0b', '\x0c', '\x85', '\xe2\x80\xa8', '\r\n\r\n',
    '%0d%0a', '%0a', '%0d', '%00', '%250d%250a', '%c0%8a', '%E5%98%8A%E5%98%8D', '\\r\\n', '&#13;&#10;',
    '\xe5\x98\x8a\xe5\x98\x8d'].flatMap((text) => [`${text}${line}`, `${text}Set-Cookie: latchkey=x; Domain=evil.test`]);

// Heads of requests with `text` somewhere in them.
const places = {
    'the target of the login page': (text) => `GET /auth/login?next=/a${text} HTTP/1.1\r\nHost: ${host}\r\n`,
    'a query': (text) => `GET /auth/account?a=${text} HTTP/1.1\r\nHost: ${host}\r\n`,
    'a path below a page': (text) => `GET /auth/account/${text} HTTP/1.1\r\nHost: ${host}\r\n`,
    'a protected address': (text) => `GET /private/${text} HTTP/1.1\r\nHost: ${host}\r\n`,
    'a protected query': (text) => `GET ${file}?${text} HTTP/1.1\r\nHost: ${host}\r\n`,
    'a method': (text) => `GET${text} ${file} HTTP/1.1\r\nHost: ${host}\r\n`,
    ...Object.fromEntries(['Host', 'User-Agent', 'Cookie', 'Origin', 'Referer', 'Accept', 'X-Forwarded-For',
        'X-Forwarded-Host', 'Sec-Fetch-Site', 'Content-Type', 'Content-Encoding'].map((name) =>
        [name, (text) => `GET ${name === 'Host' ? file : '/auth/account'} HTTP/1.1\r\n` +
            `${name === 'Host' ? '' : `Host: ${host}\r\n`}Connection: close\r\n${name}: a${text}\r\n`])),
    'the cookie of circles': (text) =>
        `GET /auth/login?next=/a HTTP/1.1\r\nHost: ${host}\r\nCookie: latchkey-hops=1${text}\r\n`,
};

function assertClean({ headers, body }, what) {
    for (const [name, value] of headers) {
        if (name === 'location') assert.match(value, /^\/(?!\/)/, what);
        assert.notEqual(value, 'yes', what);
    }
    assert.ok(!body.includes(secret), what);
}

// Passwords are wrong here more often than is free.
behindEach('a line end', { throttle: { attempts: 1000 } }, (at) => {
    it('in any part of a request makes no header', async () => {
        const cases = Object.entries(places).flatMap(([name, make]) => breaks.map((text) => [name, make(text)]));
        const { cookie } = await signedIn(at.port);
        let answered = 0;
        await many(cases.length * 2, async (index) => {
            const [name, head] = cases[index >> 1];
            // The whole text is one request in the eyes of who ends it at its first empty line.
            const session = index % 2 === 0 || name === 'Cookie' ? '' : `Cookie: ${cookie}\r\n`;
            const bytes = Buffer.from(`${head}Accept: text/html\r\n${session}Connection: close\r\n\r\n`, 'latin1');
            const text = await raw(at.port, bytes, 1500).catch(() => '');
            if (text === '' || !text.startsWith('HTTP/1.')) return; // not understood at all: HTTP/0.9
            const what = `${name}: ${JSON.stringify(head)}`;
            const answer = readAnswer(text, what);
            if (!session) assertClean(answer, what);
            answered++;
        });
        assert.ok(answered > cases.length, String(answered));
    });

    it('in any field of a form makes no header', async () => {
        const { browser, fields } = await openForm(at.port);
        const names = ['username', 'password', 'next', 'csrf', 'remember', 'other'];
        const cases = names.flatMap((name) => breaks.map((text) => [name, text]));
        await many(cases.length, async (index) => {
            const [name, text] = cases[index];
            const body = encodeForm({ ...fields, password: 'wrong', [name]: `/a${Buffer.from(text, 'latin1')}` });
            const answer = readAnswer(await raw(at.port,
                `POST /auth/login HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${own.origin}\r\n` +
                `Cookie: ${browser.cookie}\r\nContent-Type: ${formType}\r\nContent-Length: ${body.length}\r\n` +
                `Connection: close\r\n\r\n${body}`), name);
            assert.ok([400, 403].includes(answer.status), `${name}: ${answer.status}`);
            assertClean(answer, name);
        });
    });

    it('in what the database says of a user opens nothing, and makes no header', async () => {
        const planted = { name: 'carol', display: 'Carol', email: 'carol@example.org', groups: 'staff' };
        for (const [column, value] of Object.entries(planted)) {
            const user = { name: `user-${column}`, password: 'a long sentence of this user' };
            at.install.addUser(user, '--email', 'user@example.org');
            const browser = await signedIn(at.port, user);
            // The gate sees the session for the first time below.
            const result = spawnSync('sqlite3', ['-cmd', '.timeout 5000', path.join(at.install.state, 'latchkey.db'),
                `UPDATE user SET ${column} = '${value}' || char(13, 10) || '${line}' WHERE name = '${user.name}'`],
            { encoding: 'utf8' });
            assert.equal(result.status, 0, result.stderr);
            for (const target of [file, '/team/page.html', '/auth/session', '/auth/account', '/auth/login']) {
                const answer = readAnswer(await raw(at.port,
                    `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nAccept: text/html\r\n` +
                    `Cookie: ${browser.cookie}\r\nConnection: close\r\n\r\n`), `${column} ${target}`);
                assertClean(answer, `${column} ${target}`);
                if (target === file) assert.ok(answer.status >= 500, `${column}: ${answer.status}`);
            }
            for (const text of [runCgi(at.install, 'gate', { ...required, HTTP_COOKIE: browser.cookie }),
                await askFastcgi(at.install.socket('gate'), { ...required, HTTP_COOKIE: browser.cookie },
                    'authorizer')]) {
                const { status, headers } = readPrinted(text.text, column);
                assert.equal(status, 500, column);
                assert.deepEqual(headers.map(([name]) => name).filter((name) => name.includes('remote')), [], column);
            }
        }
        const told = /an answer is refused: the header .*REMOTE_NAME has a control character/i;
        await until('the log', () => told.test(at.install.log));
    });
}, [...servers, apache]);

describe('a line end in what a web server says', () => {
    let install;
    before(async () => { install = await new Install({ site: { trusted_proxies: '192.0.2.1' } }).init().serve(); });
    after(async () => assert.equal(await install?.close(), 0));

    const names = ['REQUEST_METHOD', 'REQUEST_URI', 'SERVER_PROTOCOL', 'REMOTE_ADDR', 'HTTPS', 'HTTP_HOST',
        'HTTP_COOKIE',
        'HTTP_ACCEPT', 'HTTP_ORIGIN', 'HTTP_USER_AGENT', 'HTTP_X_FORWARDED_FOR', 'HTTP_SEC_FETCH_MODE', 'QUERY_STRING',
        'PATH_INFO', 'SCRIPT_NAME', 'SERVER_NAME', 'REMOTE_USER', 'CONTENT_TYPE', 'LATCHKEY_GROUPS', 'UNKNOWN'];

    it('makes no header in any program, by FastCGI', async () => {
        const cases = ['login', 'logout', 'account', 'gate'].flatMap((program) => names.flatMap((name) =>
            breaks.map((text) => [program, name, text])));
        const statuses = new Map();
        await many(cases.length, async (index) => {
            const [program, name, text] = cases[index];
            const all = { ...required, REQUEST_URI: program === 'gate' ? file : `/auth/${program}`, HTTP_HOST: host };
            const answer = await askFastcgi(install.socket(program), { ...all, [name]: `${all[name] ?? 'a'}${text}` });
            if (answer.text === '') {
                statuses.set(0, true); // closed: no web server says such things
                return;
            }
            const what = `${program} ${name} ${JSON.stringify(text)}`;
            const read = readPrinted(answer.text, what);
            assertClean(read, what);
            assert.notEqual(read.status, 204, what);
            statuses.set(read.status, true);
        });
        for (const status of [0, 200, 303, 400, 401]) assert.ok(statuses.has(status), `the control: ${status}`);
    });

    it('makes no header in a program run as CGI', () => {
        for (const name of names) {
            for (const text of [`\r\n${line}`, `\n${line}`, `\rStatus: 200 OK`]) {
                const all = { ...required, HTTP_HOST: host };
                const answer = runCgi(install, 'gate', { ...all, [name]: `${all[name] ?? 'a'}${text}` });
                const what = `${name} ${JSON.stringify(text)}`;
                const read = readPrinted(answer.text, what);
                assertClean(read, what);
                assert.ok([400, 401].includes(read.status), `${what}: ${read.status}`);
            }
        }
    });
});

// Heads that name another host, or another scheme, in each way that a server might listen to.
const elsewhere = (target) => [
    `GET http://evil.test${target} HTTP/1.1\r\nHost: ${host}\r\n`,
        `GET http://evil.test${target} HTTP/1.1\r\nHost: evil.test\r\n`,
    `GET https://evil.test:444${target} HTTP/1.1\r\nHost: ${host}\r\n`,
    `GET ${target} HTTP/1.1\r\nHost: evil.test\r\nHost: ${host}\r\n`,
        `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nHost: evil.test\r\n`,
    `GET ${target} HTTP/1.0\r\n`, `GET ${target} HTTP/1.0\r\nX-Forwarded-Host: evil.test\r\n`,
    ...['evil.test', 'evil.test:80', 'evil.test:0', 'EVIL.TEST', 'eViL.tEsT.', '.evil.test', 'evil.test/..',
        'evil.test:x', 'a, evil.test',
        `${host}@evil.test`, `${host}:80@evil.test`, `evil.test#${host}`, `evil.test?${host}`, 'evil.test\\x',
            '[evil.test]',
        '[::1]', '', ' ', '"evil.test"', '<evil.test>', 'evil.test\tx', 'xn--evil.test', '\xe9vil.test']
        .map((name) => `GET ${target} HTTP/1.1\r\nHost: ${name}\r\n`),
    ...['X-Forwarded-Host: evil.test', 'X-Forwarded-Proto: https', 'X-Forwarded-Scheme: https', 'X-Forwarded-Ssl: on',
        'X-Forwarded-Port: 444', 'X-Forwarded-Server: evil.test', 'X-Forwarded-Prefix: //evil.test',
            'Front-End-Https: on',
        'Forwarded: host=evil.test;proto=https', 'X-Host: evil.test', 'X-Original-Host: evil.test', 'Https: on',
            'Http-Host: evil.test',
        'X-Url-Scheme: https', 'Server-Name: evil.test', 'Server-Port: 444', 'Script-Name: //evil.test']
        .map((more) => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`),
];

behindEach('a host or a scheme that a client names', {}, (at) => {
    it('stands in no answer, and changes no cookie', async () => {
        const session = await signedIn(at.port);
        for (const target of ['/auth/login', '/auth/login?next=/a', '/auth/account', '/auth/logout', file,
            '/auth/nothing']) {
            for (const head of elsewhere(target)) {
                for (const cookie of ['', `Cookie: ${session.cookie}\r\n`]) {
                    const text = await raw(at.port,
                        Buffer.from(`${head}Accept: text/html\r\n${cookie}Connection: close\r\n\r\n`, 'latin1'));
                    const what = JSON.stringify(head);
                    const answer = readAnswer(text, what);
                    assert.doesNotMatch(text, /evil\.test|:444/i, what);
                    for (const [name, value] of answer.headers) {
                        if (name === 'location') assert.match(value, /^\/(?!\/)/, what);
                        // As configured for this site: session.secure_cookie = no, no domain.
                        if (name === 'set-cookie') assert.doesNotMatch(value, /Secure|Domain/, what);
                    }
                }
            }
        }
    });

    it('does not lead a sign-in elsewhere', async () => {
        for (const head of elsewhere('/auth/login')) {
            const { browser, fields } = await openForm(at.port);
            const body = encodeForm({ ...fields, next: '/a' });
            const text = await raw(at.port, Buffer.from(`${head.replace('GET', 'POST')}Cookie: ${browser.cookie}\r\n` +
                `Content-Type: ${formType}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
                    'latin1'));
            const answer = readAnswer(text, head);
            assert.ok([303, 400].includes(answer.status) || answer.status === 500, `${head}: ${answer.status}`);
            if (answer.status === 303) assert.ok(answer.headers.some(([name, value]) => name === 'location'
                && value === '/a'), head);
            assert.doesNotMatch(text, /evil\.test/i, head); // (without the dot it may stand in a token)
        }
    });
}, [...servers, apache]);
