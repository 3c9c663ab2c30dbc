// Texts that are commands to somebody: to SQL, to HTML, to a terminal, to a shell, to printf, to a
// key-value store. Wherever they are put, they are text, and mostly nothing at all.
//
// The judges: the answer is that to a harmless text, byte by byte or tag by tag; the tables hold what
// they held; each line of the log is one that the programs make.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { behindEach } from './support/behind.mjs';
import { askFastcgi, required } from './support/direct.mjs';
import { formType, host, openForm, own, signedIn } from './support/forms.mjs';
import { encodeForm, formFields, raw, request } from './support/http.mjs';
import { Install, alice, bob, until } from './support/install.mjs';
import { many } from './support/replay.mjs';
import { forEachStore } from './support/stores.mjs';

const sql = [
    "' OR 1=1--", "alice'--", "alice' --", "' OR ''='", "'; DROP TABLE user;--", "';", '";', "\\'", "alice'/*", '*/',
        '%', '_', '%%',
    'al%', 'a_ice', '*', 'a*', '?', '?1', ':name', '@name', '$1', "x' UNION SELECT name,hash FROM user--", "' || 'lice",
        "a'||'lice",
    '0x616c696365', "X'616C696365'", '1', '01', '1.0', '1e0', '-1', '+1', '9223372036854775808', 'NULL', 'null', 'true',
        'rowid',
    "') OR ('1'='1", "alice' COLLATE BINARY--", "alice' LIMIT 1--", 'alice;', 'alice\\', "alice'", 'alice"', '`alice`',
        '[alice]',
    "' AND randomblob(1000000000)--", "';ATTACH 'x' AS y;--", "'+load_extension('x')+'",
];
const html = [
    '"><script>alert(1)</script>', "'onfocus=alert(1) autofocus='", '" onfocus="alert(1)', '</title><script>',
        '</style><script>',
    '<!--', '-->', ']]>', '<![CDATA[', '&lt;script&gt;', '&quot;', '&#34;', '&amp;', '<svg/onload=alert(1)>',
        '<img src=x>',
    'javascript:alert(1)', 'data:text/html,<script>', '+ADw-script+AD4-', '{{user}}', '{{{user}}}', '{{#user}}',
        '{{/user}}', '{{>login}}',
    '{{=<% %>=}}', '${7*7}', '#{7*7}', '<%= 7*7 %>', '\u2028alert(1)', '\u202egnp.exe', '\u2066x\u2069', '\ufeff',
        '\u00a0', '\u200b', '\ud7ff',
    '\ufffd', '\u{1f600}', '<\u0338script>', '\uff1cscript\uff1e', '<meta http-equiv=refresh content=0>',
        '<base href=//evil.test>',
];
const others = [
    '%s%n%x%s%s%s', '%1$n', '%*d', '%99999999d', '\\n', '\\x0a', '$(id)', '`id`', ';id', '|id', '&&id', '-oQ/tmp',
        '--help', '-c',
    '../../etc/passwd', '/etc/passwd', 'file:///etc/passwd', '*3', '$6', '*)(uid=*', 'a@b@c', '#', '//', '/*',
        'x'.repeat(64), 'x'.repeat(65),
    'x'.repeat(4000), '\u212aelvin', 'al\u0131ce', '\u017fam', 'alic\u0435', '\uff41lice', 'alice\u0301', 'ALICE\u200d',
        'constructor', '__proto__',
];
// Refused before anybody looks at them (forms.test.mjs), where they do no harm either.
const controls = ['\n2026-01-01 signed in: user=admin', '\r\n', '\x1b]0;owned\x07', '\x1b[2J', '\u009b2J', '\0',
    'alice\0', '\x7f', '\b\b\b', '\t'];
const texts = [...sql, ...html, ...others];

// The markup of a page, without what attributes say. The cursor stands in a field that was not filled in.
const tags = (page) => [...page.matchAll(/<\/?[a-z][^>]*>|<!--|<!doctype[^>]*>/gi)]
    .map(([tag]) => tag.replace(/="[^"]*"/g, '="…"').replace(' autofocus', '')).join('');

const user = { name: 'Mallory', password: 'what mallory thinks is long enough' };

// Passwords are wrong here more often than is free.
behindEach('a text that is a command elsewhere', { throttle: { attempts: 100000 } }, (at) => {
    const database = (statement) => {
        const result = spawnSync('sqlite3', ['-cmd', '.timeout 5000', path.join(at.install.state, 'latchkey.db'),
            statement],
            { encoding: 'utf8' });
        assert.equal(result.status, 0, result.stderr);
        return result.stdout;
    };
    const dump = () => database('SELECT * FROM user ORDER BY id; SELECT name, sql FROM sqlite_schema ORDER BY name');
    let kept;
    before(async () => {
        at.install.addUser(user);
        kept = dump();
    });

    const mask = ({ status, body, cookies }) => JSON.stringify([status, cookies.length,
        body.replace(/ value="[^"]*"| autofocus/g, '')]);

    it('signs nobody in as a user name or as a password, and is answered like any wrong one', async () => {
        const { browser, fields } = await openForm(at.port);
        const wrong = (username, password) => browser.post('/auth/login', { ...fields, username, password }, own);
        const usual = await wrong('nobody', 'wrong');
        assert.equal(usual.status, 403);
        for (const text of texts) {
            for (const answer of [await wrong(text, alice.password), await wrong(alice.name, text)]) {
                assert.equal(tags(answer.body), tags(usual.body), text);
                assert.equal(mask(answer), mask(usual), text);
            }
        }
        for (const text of controls) {
            const answer = await wrong(text, alice.password);
            assert.ok([400, 403].includes(answer.status), text);
            assert.deepEqual(answer.cookies, [], text);
        }
        assert.equal(dump(), kept);
        assert.equal((await browser.post('/auth/login', fields, own)).status, 303, 'the control');
    });

    it('changes no page wherever a client may put it', async () => {
        const session = await signedIn(at.port);
        const mine = `Cookie: ${session.cookie}\r\n`;
        const escape = encodeURIComponent;
        const places = {
            'the query': (text) => `GET /auth/login?${escape(text)}=1&x=${escape(text)} HTTP/1.1\r\n`,
            'the target': (text) => `GET /auth/login?next=${escape(text)} HTTP/1.1\r\n`,
            'a target that is good': (text) => `GET /auth/login?next=/a?${escape(text)} HTTP/1.1\r\n`,
            'the code of a link': (text) => `GET /auth/account/link?code=${escape(text)} HTTP/1.1\r\n`,
            'a cookie': (text) => `GET /auth/login HTTP/1.1\r\nCookie: latchkey=${text}; ${text}=x; x=${text}\r\n`,
            'the kind of browser': (text) => `GET /auth/account HTTP/1.1\r\n${mine}User-Agent: ${text}\r\n`,
            'the account page': (text) => `GET /auth/account?${escape(text)} HTTP/1.1\r\n${mine}`,
            'the logout page': (text) => `GET /auth/logout?${escape(text)} HTTP/1.1\r\n${mine}Referer: ${text}\r\n`,
            'what is accepted': (text) => `GET /auth/session HTTP/1.1\r\n${mine}Accept: ${text}\r\nOrigin: ${text}\r\n`,
        };
        for (const [name, make] of Object.entries(places)) {
            const ask = (text) => raw(at.port, `${make(text)}Host: ${host}\r\nConnection: close\r\n\r\n`);
            const usual = await ask('harmless');
            for (const text of texts) {
                const answer = await ask(text.slice(0, 2000));
                assert.equal(tags(answer), tags(usual), `${name}: ${text}`);
                assert.equal(answer.slice(0, 15), usual.slice(0, 15), `${name}: ${text}`);
                if (!name.includes('target')) assert.ok(!/<script>alert|onfocus|evil/.test(answer), `${name}: ${text}`);
            }
        }
        assert.equal(dump(), kept);
    });

    it('is shown as it was written, escaped once', async () => {
        for (const text of html.filter((one) => !/[\ud800-\udfff]/u.test(one))) {
            const target = `/a?${encodeURIComponent(text).replaceAll("'", '%27')}`;
            const page = await request(at.port, `/auth/login?next=${encodeURIComponent(target)}`);
            assert.equal(formFields(page.body).next, target);
        }
        // A name that may be typed again, and one that may not.
        const { browser, fields } = await openForm(at.port);
        for (const [name, shown] of [['a.b+c@d-e_f', true], ['<b>', false], ['a b', false], ['"', false]]) {
            const answer = await browser.post('/auth/login', { ...fields, username: name, password: 'wrong' }, own);
            assert.equal(answer.body.includes(`value="${name}"`), shown, name);
        }
    });

    it('is text as the name of a user, wherever it is shown', async () => {
        const usual = tags((await (await signedIn(at.port)).fetch('/auth/account')).body);
        const names = html.filter((text) => !/[\u202a-\u202e\u2066-\u2069\u2028]/.test(text)).filter((_, i) => i % 3 === 0);
        for (const [i, display] of ['"\'<&>`', ...names].entries()) {
            const one = { name: `shown${i}`, password: 'a long sentence of this user' };
            at.install.addUser(one, '--name', display, '--email', 'a&b\'"<@example.org', '--group', 'staff');
            const browser = await signedIn(at.port, one);
            const { body } = await browser.fetch('/auth/account');
            assert.equal(tags(body), usual, display);
            const escaped = display.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
                .replaceAll('"', '&quot;').replaceAll("'", '&#39;');
            assert.ok(body.includes(escaped), `${display}: ${body}`);
            assert.equal(JSON.parse((await browser.fetch('/auth/session')).body).name, display);
            const gate = await askFastcgi(at.install.socket('gate'), { ...required, HTTP_COOKIE: browser.cookie });
            assert.equal(gate.headers['remote-name'], display);
            at.install.do(['user', 'remove', one.name]);
        }
        assert.equal(dump(), kept);
    });

    it('writes no line into the log but the programs\' own', async () => {
        const begin = at.install.log.length;
        const { browser, fields } = await openForm(at.port);
        const session = await signedIn(at.port);
        const all = [...texts, ...controls, 'x'.repeat(15000)];
        await many(all.length, async (index) => {
            const text = all[index];
            const agent = Buffer.from(text.replace(/[\x00-\x1f\x7f]/g, '')).toString('latin1').slice(0, 3000);
            for (const sent of [{ username: text }, [{ password: text }, { csrf: text }, { next: text }][index % 3]]) {
                const body = encodeForm({ ...fields, password: 'wrong', ...sent });
                await request(at.port, '/auth/login', { method: 'POST', body,
                    headers: { ...own, cookie: browser.cookie, 'content-type': formType, 'user-agent': agent } });
            }
            await request(at.port, '/auth/account/sessions',
                { method: 'POST', body: encodeForm({ id: text, csrf: text }),
                headers: { ...own, cookie: session.cookie, 'content-type': formType, 'user-agent': agent } });
        });
        await browser.post('/auth/login', { ...fields, username: 'Mallory', password: 'wrong' }, own);
        await until('the log', () => at.install.log.slice(begin).includes('user=Mallory '));
        const lines = at.install.log.slice(begin).split('\n').slice(0, -1);
        assert.ok(lines.length > all.length, String(lines.length));
        const known = [
            /^login\[\d+\]: warning: authentication failure; user=(alice|Mallory|) rhost=127\.0\.0\.1$/,
            /^(login|account)\[\d+\]: warning: a request was refused with 4(00|13): the (form|body) is [a-z ]+$/,
            /^login\[\d+\]: info: signed in: alice$/,
        ];
        for (const text of lines) assert.ok(known.some((form) => form.test(text)), JSON.stringify(text));
    });

    it('is no password that the database shows, nor an account beside one of nearly that name', async () => {
        const stored = database("SELECT hash FROM user WHERE name = 'alice'").trim();
        const salt = database("SELECT hex(salt) FROM user WHERE name = 'alice'").trim();
        const { browser, fields } = await openForm(at.port);
        for (const password of [stored, stored.split('$').at(-1), salt, salt.toLowerCase(), '', ' ']) {
            const answer = await browser.post('/auth/login', { ...fields, password }, own);
            assert.equal(answer.status, 403, password);
        }
        // To SQLite's eyes these may be one number.
        const numbers = ['1', '01', '1.0', '1e0', '+1', '0x1'].map((name) =>
            ({ name, password: `the password of ${name} is long` }));
        for (const one of numbers) at.install.addUser(one);
        for (const one of numbers) {
            for (const other of numbers) {
                const form = await openForm(at.port);
                const { status } = await form.browser.post('/auth/login',
                    { ...form.fields, username: one.name, password: other.password }, own);
                assert.equal(status, one === other ? 303 : 403, `${one.name} with that of ${other.name}`);
            }
            const browserOf = await signedIn(at.port, one);
            assert.equal(JSON.parse((await browserOf.fetch('/auth/session')).body).user, one.name);
        }
        for (const one of numbers) at.install.do(['user', 'remove', one.name]);
        assert.equal(dump(), kept);
    });

});

describe('a text that is a command elsewhere', () => {
    it('does nothing as an argument of the command', async () => {
        const install = new Install().init();
        const list = () => install.do(['user', 'list', '--json']);
        const kept = list();
        const commands = [['user', 'lock'], ['user', 'remove'], ['session', 'revoke-user'], ['session', 'revoke'],
            ['user', 'passwd', '--password-stdin'], ['user', 'add', '--password-stdin'], ['session', 'list']];
        const known = /^[A-Za-z0-9._@+-]{1,64}$/;
        const all = [...texts, ...controls].filter((text) => !text.includes('\0') && !known.test(text));
        for (const [i, text] of all.entries()) {
            const args = [...commands[i % commands.length], '--', text];
            const { status, stdout, stderr } = install.try(args, 'a long sentence of words\n');
            assert.ok([1, 2].includes(status), `${args.join(' ')}: ${status} ${stdout}`);
            assert.match(stderr, /^[^\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+\n$/, args.join(' '));
        }
        assert.equal(list(), kept);
        await install.close();
    });
});

forEachStore('what a browser says of itself', (at) => {
    it('is text in the list of devices, in the audit log and on the terminal, in each store', async () => {
        const agents = [...html, ...sql.slice(0, 8), ...others.slice(0, 8)].map((text) =>
            Buffer.from(text).toString('latin1').trim()).filter((text) => text !== '');
        const { port } = at.webs[0];
        for (let i = 0; i < agents.length; i += 12) {
            at.install.do(['session', 'revoke-user', bob.name]);
            const browser = await signedIn(port, bob);
            for (const agent of agents.slice(i, i + 12)) {
                const page = await request(port, '/auth/login');
                const cookie = page.cookies[0].split(';')[0];
                const body = encodeForm({ ...formFields(page.body), username: bob.name, password: bob.password });
                const answer = await request(port, '/auth/login', { method: 'POST', body,
                    headers: { ...own, cookie, 'content-type': formType, 'user-agent': agent.slice(0, 3000) } });
                assert.equal(answer.status, 303, agent);
            }
            const { body } = await browser.fetch('/auth/account/sessions');
            const items = tags(body).split('<li>').slice(1).map((text) => text.split('</li>')[0]);
            assert.equal(items.length, agents.slice(i, i + 12).length + 1);
            // All look alike but the one that is marked as this device.
            assert.equal(new Set(items).size, 2, items.join('\n'));
            for (const args of [['session', 'list', bob.name], ['audit', '--user', bob.name]]) {
                assert.doesNotMatch(at.install.do(args), /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/,
                    args.join(' '));
            }
            JSON.parse(at.install.do(['session', 'list', bob.name, '--json']));
        }
    });
});
