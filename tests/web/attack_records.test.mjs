// The programs as they are run, asked at their sockets and as CGI by whoever is no web server: what
// is no whole, sound request gets no grant and leaves no trace, and the next one is answered.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { behindEach } from './support/behind.mjs';
import { askFastcgi, fastcgiRequest, pair, record, required, runCgi, sanitizers,
    sendFastcgi } from './support/direct.mjs';
import { csrfOf, formType, host, isSignedIn, openForm, own, signedIn } from './support/forms.mjs';
import { encodeForm, raw, request } from './support/http.mjs';
import { Install, programs, until } from './support/install.mjs';
import { findAll } from './support/processes.mjs';
import { many } from './support/replay.mjs';
import { nginx, secret } from './support/servers.mjs';

const names = ['login', 'logout', 'account', 'gate'];
const uriOf = (program) => (program === 'gate' ? '/private/page.html' : `/auth/${program}`);
const begin = (role = 1, flags = 0) => record(1, Buffer.from([role >> 8, role & 255, flags, 0, 0, 0, 0, 0]));
const join = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part, 'latin1')));
const residentOf = (pid) => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);

// Connections that are no request, given the pairs of a good one.
function strangers(params) {
    const stream = (bytes, piece = 65535) => join(...Array.from({ length: Math.ceil(bytes.length / piece) }, (_, i) =>
        record(4, bytes.subarray(i * piece, (i + 1) * piece))), record(4));
    const whole = (more, piece) => join(begin(), stream(join(params, more), piece), record(5));
    const good = join(begin(), stream(params), record(5));
    const values = (count) => Array.from({ length: count }, () => pair('ANY', '')).reduce((a, b) => join(a,
        b));
    return {
        'nothing': '', 'one byte': '\x01', 'HTTP': 'GET / HTTP/1.1\r\nHost: h\r\n\r\n',
        'a hello of TLS': '\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03', 'zeros': '\0'.repeat(4096),
            'ones': '\xff'.repeat(4096),
        ...Object.fromEntries([0, 2, 255].map((version) =>
            [`version ${version}`, join(record(1, begin().subarray(8), { version }), stream(params), record(5))])),
        ...Object.fromEntries([0, 2, 3, 6, 7, 8, 10, 11, 12, 255].map((type) =>
            [`a record of type ${type}`, join(begin(), record(type, 'x'), stream(params), record(5))])),
        ...Object.fromEntries([0, 2, 65535].map((id) => [`id ${id} in between`,
            join(begin(), record(4, params, { id }), record(4), record(5))])),
        ...Object.fromEntries([0, 3, 9, 257, 65535].map((role) => [`role ${role}`,
            join(begin(role), stream(params), record(5))])),
        ...Object.fromEntries([1, 3, 200].map((count) =>
            [`${count} questions for values`, join(record(9, values(count), { id: 0 }), good)])),
        'a question for values without an end': record(9, values(3), { id: 0 }).subarray(0, 30),
        'a BEGIN of 7 bytes': join(record(1, '\0\x01\0\0\0\0\0'), stream(params), record(5)),
        'a BEGIN of 9 bytes': join(record(1, '\0\x01\0\0\0\0\0\0\0'), stream(params), record(5)),
        'BEGIN twice': join(begin(), good),
        'a second request of another id': join(begin(), record(1, begin().subarray(8), { id: 2 }), stream(params),
            record(5)),
        'no BEGIN': join(stream(params), record(5)),
        'no end of the parameters': join(begin(), record(4, params), record(5)),
        'no end of the body': join(begin(), stream(params)),
        'an ABORT at once': join(begin(), record(2)), 'an ABORT among parameters': join(begin(), record(4, params),
            record(2)),
        'an ABORT in the body': join(begin(), stream(params), record(2)),
        'a body before the parameters': join(begin(), record(5), stream(params)),
        'a body among the parameters': join(begin(), record(4, params), record(5), record(4)),
        'data': join(begin(), stream(params), record(8, 'x'), record(8), record(5)),
        'bytes behind': join(good, 'x'), 'a request behind, unasked': join(good, good),
        'a pair that is cut': whole('\x01\x05Xy'), 'a length that is cut': whole('\x80\0'),
            'lengths past the end': whole('\x80\x01\0\0\x01X'),
        'lengths of 2 GiB': whole('\xff\xff\xff\xff\xff\xff\xff\xffX'),
            'lengths whose sum is small': whole('\xff\xff\xff\xff\x80\0\0\x02Xy'),
        'a name of nothing': whole(pair('', 'x')), 'a name with "="': whole(pair('REMOTE_USER=x', 'y')),
            'a name with NUL': whole(pair('A\0B', 'x')),
        'a value with NUL': whole(pair('HTTP_A', 'a\0b')), 'a length with NUL': whole(pair('CONTENT_LENGTH', '5\x009')),
        'another address': whole(pair('REMOTE_ADDR', '127.0.0.1')),
            'another method': whole(pair('REQUEST_METHOD', 'POST')),
        'another target': whole(pair('REQUEST_URI', '/public/')),
            'two users': whole(join(pair('REMOTE_USER', 'a'), pair('REMOTE_USER', 'b'))),
        'groups twice': whole(join(pair('LATCHKEY_GROUPS', 'a'), pair('LATCHKEY_GROUPS', 'staff'))),
        'another address, in pieces': whole(pair('REMOTE_ADDR', '127.0.0.1'), 1),
    };
}

describe('the running programs', () => {
    let install;
    let cookie;
    let pids;
    before(async () => {
        install = await new Install({ workers: { login: 2, logout: 1, account: 2, gate: 2 } }).init().serve();
        const web = await nginx.start(install);
        const browser = await signedIn(web.port);
        ({ cookie } = browser);
        await until('the workers', () => findAll(install).length >= 14);
        pids = findAll(install).sort();
        await web.stop();
    });
    after(async () => assert.equal(await install?.close(), 0));

    const variables = (program) => ({ ...required, REQUEST_URI: uriOf(program), HTTP_COOKIE: cookie, HTTP_HOST: host });
    const usual = { login: 303, logout: 200, account: 200, gate: 204 };
    async function assertWell(what) {
        for (const program of names) {
            const { status } = await askFastcgi(install.socket(program), variables(program));
            assert.equal(status, usual[program], `${program} after ${what}`);
        }
        assert.deepEqual(findAll(install).sort(), pids, what);
    }
    const paramsOf = (all) => join(...Object.entries(all).map(([name, value]) => pair(name, value)));

    it('answer nobody who is no web server, and go on', async () => {
        await assertWell('the start');
        const before = pids.map(residentOf);
        for (const program of names) {
            const params = paramsOf(variables(program));
            const good = await sendFastcgi(install.socket(program),
                join(begin(), record(4, params), record(4), record(5)), { half: true });
            assert.equal(good.status, usual[program], 'the control');
            const cases = Object.entries(strangers(params));
            await many(cases.length, async (index) => {
                const [what, bytes] = cases[index];
                for (const sent of [bytes, join(bytes, '\0'.repeat(8))]) {
                    const { text } = await sendFastcgi(install.socket(program), Buffer.from(sent, 'latin1'),
                        { half: true });
                    assert.equal(text, '', `${program}: ${what}`);
                }
            });
            await assertWell(program);
        }
        pids.forEach((pid, i) => assert.ok(residentOf(pid) < before[i] + 20000,
            `${before[i]} kB, then ${residentOf(pid)} kB`));
    });

    it('grant nothing for any beginning of a request that they would grant', async () => {
        for (const role of ['responder', 'authorizer']) {
            const whole = fastcgiRequest(variables('gate'), role);
            assert.ok([200, 204].includes((await sendFastcgi(install.socket('gate'), whole, { half: true })).status),
                'the control');
            await many(whole.length, async (length) => {
                const { text } = await sendFastcgi(install.socket('gate'), whole.subarray(0, length), { half: true });
                assert.equal(text, '', `${role}, ${length} of ${whole.length} bytes`);
            });
        }
        await assertWell('beginnings');
    });

    it('take parameters as they are, however they are cut and padded, and cookies of all lines', async () => {
        const { HTTP_COOKIE: line, ...rest } = variables('gate');
        const ask = (...parts) => sendFastcgi(install.socket('gate'), join(...parts));
        const params = paramsOf({ ...rest, HTTP_COOKIE: line });
        const bytewise = join(...Array.from(params, (byte) => record(4, Buffer.from([byte]))));
        const twice = (first, second) => join(paramsOf(rest), pair('HTTP_COOKIE', first), pair('HTTP_COOKIE', second));
        for (const [status, ...parts] of [
            [204, begin(), bytewise, record(4), record(5)],
            [204, begin(), record(4, params, { padding: 255 }), record(4, '', { padding: 7 }),
                record(5, '', { padding: 1 })],
            [204, begin(), record(4, twice('a=b', line)), record(4), record(5)],
            [204, begin(), record(4, twice(line, line)), record(4), record(5)],
            [204, begin(), record(4, join(params, pair('remote_user', 'root'), pair('http_cookie', 'x'))), record(4),
                record(5)],
            [401, begin(), record(4, paramsOf({ ...rest, http_cookie: line })), record(4), record(5)],
            [401, begin(), record(4, paramsOf({ ...rest, HTTP_COOKIE2: line })), record(4), record(5)],
        ]) {
            const answer = await ask(...parts);
            assert.equal(answer.status, status);
            assert.equal(answer.headers['remote-user'], status === 204 ? 'alice' : undefined);
        }
        // A name of 70 KB is more than may come.
        const long = Buffer.alloc(70000, 'N');
        const pieces = [long.subarray(0, 60000), join(long.subarray(60000), 'v')];
        const refused = await ask(begin(), record(4, params), record(4, join('\x80\x01\x11\x70\x01', pieces[0])),
            record(4, pieces[1]),
            record(4), record(5));
        assert.equal(refused.status, 413);
        await assertWell('odd pieces');
    });

    it('judge the length of a body by its digits, and by the body', async () => {
        for (const [program, target] of [['login', '/auth/login'], ['logout', '/auth/logout'],
            ['account', '/auth/account/sessions']]) {
            for (const [length, body, status] of [
                [undefined, '', 403], ['', '', 403], ['0', '', 403], ['4', 'a=bc', 403], ['0000004', 'a=bc', 403],
                [undefined, 'a=bc', 400], ['', 'a=bc', 400], ['0', 'a=bc', 400], ['3', 'a=bc', 400], ['5', 'a=bc', 400],
                ...['-1', '+4', ' 4', '4 ', '0x4', '4,4', '1e3', '4.0', '4\n', '٤', '99999999999999999999',
                    '18446744073709551620',
                    '4294967300', '2147483647', 'four'].map((text) => [text, 'a=bc', 400]),
                ['16385', 'x'.repeat(16385), 413], ['16384', `a=${'x'.repeat(16382)}`, 403],
            ]) {
                const all = {
                    ...variables(program), REQUEST_METHOD: 'POST', REQUEST_URI: target, CONTENT_TYPE: formType,
                    ...(length !== undefined && { CONTENT_LENGTH: length }),
                };
                const answer = await askFastcgi(install.socket(program), all, 'responder', { body });
                const what = `${target} ${JSON.stringify(length)} of ${body.length}`;
                // With a control character nothing may be said at all.
                if (!/[\n]/.test(length ?? '')) assert.equal(answer.status, status, what);
                else assert.ok([0, 400].includes(answer.status), what);
                if (program !== 'login' || body.length > 100) continue;
                // As CGI nothing says where a body ends but its length.
                const cgi = runCgi(install, program, { ...all, CONTENT_LENGTH: length ?? '' }, { input: body });
                assert.ok([400, 403, 413].includes(cgi.status), `CGI, ${what}: ${cgi.status}`);
                assert.equal(cgi.headers['set-cookie'], undefined, what);
            }
        }
        await assertWell('lengths');
    });

    it('are not used up by 1,100 connections at once', async () => {
        for (const program of ['gate', 'login']) {
            const made = Array.from({ length: 1100 }, () => new Promise((resolve) => {
                const socket = net.connect(install.socket(program), () => resolve(socket)).on('error',
                    () => resolve(undefined));
            }));
            const sockets = (await Promise.all(made)).filter(Boolean);
            assert.ok(sockets.length > 1024, String(sockets.length)); // FD_SETSIZE
            await assertWell(`1,100 connections to ${program}`);
            sockets.forEach((socket) => socket.destroy());
        }
    });

    it('end in peace as CGI when nobody reads what they say', async () => {
        for (const program of names) {
            const child = spawn(path.join(programs, program), [], {
                env: { LATCHKEY_CONFIG: install.config, ...sanitizers(), ...variables(program) },
                    stdio: ['ignore', 'pipe', 'pipe'],
            });
            child.stdout.destroy();
            let log = '';
            child.stderr.on('data', (text) => { log += text; });
            const [code, signal] = await new Promise((resolve) => { child.on('close', (...how) => resolve(how)); });
            assert.equal(signal, null, `${program}: ${log}`);
            assert.ok([0, 1].includes(code), `${program}: ${code} ${log}`);
            assert.doesNotMatch(log, /Sanitizer|runtime error/);
        }
    });
});

behindEach('a body', {}, (at) => {
    const head = (browser, length, more = '') =>
        `POST /auth/login HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${own.origin}\r\n` +
        `Cookie: ${browser.cookie}\r\nContent-Type: ${formType}\r\nContent-Length: ${length}\r\n` +
        `${more}Connection: close\r\n\r\n`;

    it('that waits to be asked for is asked for, once', async () => {
        const { browser, fields } = await openForm(at.port);
        const body = encodeForm(fields);
        const text = await new Promise((resolve, reject) => {
            let got = '';
            const socket = net.connect(at.port, '127.0.0.1',
                () => socket.write(head(browser, body.length, 'Expect: 100-continue\r\n')));
            socket.setEncoding('latin1').on('error', reject).on('close', () => resolve(got)).on('data', (part) => {
                if (got === '') socket.write(body);
                got += part;
            });
        });
        assert.match(text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 303 /);
        assert.equal(text.match(/HTTP\/1\.1 303/g).length, 1);
        for (const expected of ['200-ok', '100-continue, x', 'x'.repeat(3000)]) {
            const answer = await raw(at.port, head(browser, 1, `Expect: ${expected}\r\n`), 700).catch(() => '');
            assert.doesNotMatch(answer, /HTTP\/1\.1 [23]0[0-9] .*(?!Continue)set-cookie/is, expected);
        }
    });

    it('may have its fields in any order', async () => {
        for (const order of [['password', 'next', 'csrf', 'username'], ['username', 'csrf', 'password', 'next'],
            ['csrf', 'password', 'username']]) {
            const { browser, fields } = await openForm(at.port);
            const body = encodeForm(Object.fromEntries(order.map((name) => [name, fields[name] ?? ''])));
            assert.equal((await browser.post('/auth/login', body, own)).status, 303);
        }
    });

    it('in chunks that never end, closed half-way, leaves room for others', async () => {
        const browser = await signedIn(at.port);
        const csrf = await csrfOf(browser);
        const half = (target) => new Promise((resolve) => {
            const socket = net.connect({ port: at.port, host: '127.0.0.1', allowHalfOpen: true });
            socket.on('error', resolve).on('close', resolve).on('end', () => socket.destroy()).resume();
            socket.setTimeout(1500, () => socket.destroy());
            socket.end(`POST ${target} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${browser.cookie}\r\n` +
                `Content-Type: ${formType}\r\nTransfer-Encoding: chunked\r\n\r\n` +
                `${(csrf.length + 5).toString(16)}\r\ncsrf=${csrf}\r\n`);
        });
        await Promise.all(Array.from({ length: 200 }, (_, i) =>
            half(['/auth/login', '/auth/logout', '/private/echo.cgi'][i % 3])));
        assert.ok(await isSignedIn(browser), 'half a form ends no session');
        assert.ok((await browser.fetch('/private/page.html')).body.includes(secret));
        assert.equal((await request(at.port, '/auth/login')).status, 200);
        await signedIn(at.port);
    });
});
