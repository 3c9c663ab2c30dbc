// Which address a request came from, whatever a client says of it: as it is written down for a wrong
// password, and as it is counted.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { behindEach } from './support/behind.mjs';
import { required, runCgi } from './support/direct.mjs';
import { formType, openForm } from './support/forms.mjs';
import { encodeForm, formFields, raw } from './support/http.mjs';
import { Install, alice, plainLatchkey } from './support/install.mjs';

const own = '127.0.0.1';
const claimed = '203.0.113.7';

// Headers by which clients and proxies say where somebody is.
const claims = [
    ['x-forwarded-for', claimed], ['x-forwarded-for', `${claimed}, 127.0.0.1`], ['x-forwarded-for', `127.0.0.1, ${claimed}`],
    ['x-forwarded-for', 'localhost'], ['x-forwarded-for', 'x'.repeat(4000)], ['x-forwarded-for', `${claimed},`.repeat(300)],
    ['x_forwarded_for', claimed], ['forwarded', `for=${claimed}`], ['forwarded', `for="[2001:db8::7]:80";proto=https;by=127.0.0.1`],
    ['x-real-ip', claimed], ['x-client-ip', claimed], ['client-ip', claimed], ['true-client-ip', claimed],
    ['cf-connecting-ip', claimed], ['fastly-client-ip', claimed], ['x-cluster-client-ip', claimed], ['x-remote-addr', claimed],
    ['x-remote-ip', claimed], ['x-originating-ip', claimed], ['x-host', claimed], ['via', `1.1 ${claimed}`], ['from', claimed],
    ['remote-addr', claimed], ['remote_addr', claimed], ['remote-host', claimed], ['x-forwarded-host', claimed],
    ['x-forwarded-server', claimed], ['x-original-forwarded-for', claimed], ['proxy', claimed], ['host', claimed],
];

// Of the programs as they are installed, for it is asked often.
const list = (at) => spawnSync(plainLatchkey, ['audit', '--json', '--user', 'alice'], { env: at.install.env, encoding: 'utf8' }).stdout;

// What came last of a wrong password.
const lastFailure = (at) => JSON.parse(list(at))
    .filter(({ act, outcome }) => act === 'sign-in' && outcome === 'refused').at(-1);

async function failFrom(at, headers) {
    const { browser, fields } = await openForm(at.port);
    const answer = await browser.post('/auth/login', { ...fields, password: 'wrong' }, headers);
    assert.equal(answer.status, 403, JSON.stringify(headers));
    return lastFailure(at).address;
}

behindEach('an address that a client claims', { throttle: { attempts: 100000 } }, (at) => {
    it('is nobody\'s', async () => {
        for (const [name, value] of claims) {
            assert.equal(await failFrom(at, { [name]: value }), own, `${name}: ${value.slice(0, 40)}`);
        }
        // One spelling of each: of two that become one parameter neither is heard.
        const all = Object.fromEntries(claims.filter(([name]) => name !== 'host' && !name.includes('_')));
        assert.equal(await failFrom(at, all), own);
        assert.doesNotMatch(at.install.log, new RegExp(`${claimed}|2001:db8`.replaceAll('.', '\\.')));
        const counted = JSON.parse(at.install.do(['throttle', 'list', '--json'])).map(({ network }) => network).filter(Boolean);
        assert.ok(counted.length > 0);
        assert.deepEqual([...new Set(counted)], [`${own}/32`]);
    });

    it('is nobody\'s in a trailer, or given twice', async () => {
        const { browser, fields } = await openForm(at.port);
        const body = encodeForm({ ...fields, password: 'wrong' });
        const head = `POST /auth/login HTTP/1.1\r\nHost: h\r\nCookie: ${browser.cookie}\r\nContent-Type: ${formType}\r\n` +
            'Connection: close\r\n';
        for (const bytes of [
            `${head}X-Forwarded-For: ${claimed}\r\nX-Forwarded-For: 198.51.100.9\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
            `${head}Transfer-Encoding: chunked\r\nTrailer: X-Forwarded-For, Remote-Addr\r\n\r\n` +
                `${body.length.toString(16)}\r\n${body}\r\n0\r\nX-Forwarded-For: ${claimed}\r\nRemote-Addr: ${claimed}\r\n\r\n`,
        ]) {
            assert.match(await raw(at.port, bytes), /^HTTP\/1\.1 403 /);
            assert.equal(lastFailure(at).address, own);
        }
    });
});

// With 127.0.0.1, 10.0.0.0/8 and 2001:db8:ffff::/48 as proxies: what came, and whose address counts.
const chains = [
    ['', own], [claimed, claimed], [` ${claimed} `, claimed], [`198.51.100.1, ${claimed}`, claimed],
    [`${claimed}, 10.1.2.3`, claimed], [`198.51.100.1,${claimed},10.1.2.3,10.4.5.6`, claimed], ['10.1.2.3', '10.1.2.3'],
    [`${claimed}, ::ffff:10.1.2.3`, claimed], [`::ffff:${claimed}`, claimed], ['2001:DB8:0:0::7', '2001:db8::7'],
    [`2001:db8::7, 2001:db8:ffff::1`, '2001:db8::7'], [`127.0.0.1, ${claimed}`, claimed], ['127.0.0.1', '127.0.0.1'],
    // What is no address ends the walk at the last proxy that is known.
    ['localhost', own], ['unknown', own], [`${claimed}, unknown`, own], [`${claimed}:80`, own], [`[2001:db8::7]:80`, own],
    ['fe80::1%eth0', own], ['0x7f.1', own], ['2130706433', own], ['203.0.113.007', own], ['203.0.113', own], [`"${claimed}"`, own],
    [`${claimed},`, own], [',', own], [`${claimed}, , 10.1.2.3`, '10.1.2.3'], [`${claimed}, x, 10.1.2.3`, '10.1.2.3'],
    [`${claimed}/32`, own], [`${claimed} evil`, own], ['x'.repeat(3000), own], [`${'10.0.0.1,'.repeat(300)}10.0.0.2`, '10.0.0.1'],
    [`${'10.0.0.1,'.repeat(300)}`, own],
];

behindEach('an address that trusted proxies tell', {
    throttle: { attempts: 100000 }, site: { trusted_proxies: '127.0.0.1, 10.0.0.0/8, 2001:db8:ffff::/48' },
}, (at) => {
    it('is the one right of all that are not proxies', async () => {
        for (const [header, address] of chains) {
            assert.equal(await failFrom(at, header === '' ? {} : { 'x-forwarded-for': header }), address, header.slice(0, 60));
        }
    });

    it('is not taken from any other header', async () => {
        for (const [name, value] of claims.filter(([header]) => !/^x.forwarded.for$/.test(header))) {
            assert.equal(await failFrom(at, { [name]: value }), own, name);
        }
    });
});

describe('the address that the web server tells', () => {
    const at = {};
    before(() => { at.install = new Install({ throttle: { attempts: 100000 } }).init(); });
    after(() => at.install?.close());

    const ask = (program, target, more) => runCgi(at.install, program,
        { ...required, REQUEST_URI: target, SCRIPT_NAME: target, ...more });
    // Sends the login form; `address` may be undefined.
    const post = (address, password = 'wrong') => {
        const page = ask('login', '/auth/login');
        const input = encodeForm({ ...formFields(page.body), username: 'alice', password });
        const { REMOTE_ADDR: usual, ...rest } = required;
        return runCgi(at.install, 'login', {
            ...rest, ...(address !== undefined && { REMOTE_ADDR: address }), REQUEST_METHOD: 'POST', REQUEST_URI: '/auth/login',
            SCRIPT_NAME: '/auth/login', CONTENT_TYPE: formType, CONTENT_LENGTH: String(input.length),
            HTTP_COOKIE: page.headers['set-cookie'].split(';')[0], HTTP_X_FORWARDED_FOR: claimed,
        }, { input });
    };

    it('has one spelling, and is none if it is no address', () => {
        for (const [told, address] of [['192.0.2.1', '192.0.2.1'], ['::ffff:192.0.2.2', '192.0.2.2'], ['2001:DB8::0:1', '2001:db8::1'],
            ['unix:', 'unix:'], ['::1', '::1']]) {
            const answer = post(told);
            assert.equal(answer.status, 403, answer.log);
            assert.equal(lastFailure(at).address, address);
        }
        const written = list(at);
        for (const told of [undefined, '', ' ', 'localhost', 'unix', 'unix:/run/x', 'fe80::1%eth0', '192.0.2.1, 192.0.2.2', '192.0.2.1\n',
            '192.0.2.1 user=bob', '0x7f.1', '1'.repeat(5000)]) {
            const answer = post(told);
            assert.ok(answer.status === 0 || answer.status >= 400, String(answer.status));
            assert.doesNotMatch(answer.log, /authentication failure/);
        }
        assert.equal(list(at), written);
    });

    it('is needed for the gate to let anybody pass', () => {
        const cookie = post('192.0.2.1', alice.password).headers['set-cookie'].split(';')[0];
        const pass = (more) => ask('gate', '/private/page.html', { HTTP_COOKIE: cookie, ...more }).status;
        assert.equal(pass({}), 204);
        for (const told of ['', 'localhost', 'unix:x']) assert.ok([0, 400].includes(pass({ REMOTE_ADDR: told })), told);
    });
});
