// The cookie: exactly one text is a session's token, and no other gets anything.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, it } from 'node:test';
import { apache } from './support/apache.mjs';
import { Install, alice, bob } from './support/install.mjs';
import { Browser, formFields, raw, request } from './support/http.mjs';
import { csrfOf, host, openForm, own, signedIn } from './support/forms.mjs';
import { behindEach } from './support/behind.mjs';
import { secret } from './support/servers.mjs';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const swapCase = (text) => text.replace(/[a-z]/gi, (c) => (c === c.toUpperCase() ? c.toLowerCase() : c.toUpperCase()));

// Bytes that a header line cannot hold, or that end a cookie.
const isPlain = (text) => !/[\x00-\x20\x7f;]/.test(text);

// Sends Cookie lines as they are; the answer without its date.
async function ask(port, lines, target = '/private/page.html') {
    const cookies = lines.map((line) => `Cookie: ${line}\r\n`).join('');
    const bytes = Buffer.from(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nAccept: text/html\r\n${cookies}` +
        'Connection: close\r\n\r\n', 'latin1');
    return (await raw(port, bytes)).replace(/^Date: .*\r\n/mi, '');
}

behindEach('a token', {}, (at) => {
    let token;
    let rejected;
    before(async () => {
        // One with letters of both alphabets' difference in it.
        do {
            token = (await signedIn(at.port)).jar.get('latchkey');
        } while (!/[-_]/.test(token));
        rejected = await ask(at.port, []);
        assert.match(rejected, /^HTTP\/1.1 303 [^]*location: \/auth\/login/i);
    });

    const accepts = async (lines) => (await ask(at.port, lines)).includes(secret);

    // All are answered alike, byte for byte, as if there were no cookie.
    async function assertRejected(values, what) {
        for (const value of values) {
            assert.equal(await ask(at.port, [`latchkey=${value}`]), rejected, `${what}: ${value}`);
        }
        assert.ok(await accepts([`latchkey=${token}`]), 'the control');
    }

    it('is spelt in one way of 104 characters', () => {
        assert.match(token, /^[A-Za-z0-9_-]{104}$/);
    });

    it('is dead when any one bit of its text is another', async () => {
        let flips = 0;
        for (let i = 0; i < token.length; i++) {
            for (let bit = 0; bit < 8; bit++) {
                const other = String.fromCharCode(token.charCodeAt(i) ^ (1 << bit));
                const value = token.slice(0, i) + other + token.slice(i + 1);
                const answer = await ask(at.port, [`latchkey=${value}`]);
                // Control characters are a matter of the web server's, or malformed to the gate.
                if (isPlain(other) || other === ';') assert.equal(answer, rejected, `${i} ${bit}`);
                else assert.match(answer, /^HTTP\/1.1 (303|400|500) /, `${i} ${bit}`);
                assert.ok(!answer.includes(secret), `${i} ${bit}`);
                flips++;
            }
        }
        assert.equal(flips, 832);
        assert.ok(await accepts([`latchkey=${token}`]), 'the control');
    });

    it('is dead when any one bit of what it says is another', async () => {
        const bytes = Buffer.from(token, 'base64url');
        assert.equal(bytes.length, 78);
        const flipped = Array.from({ length: 78 * 8 }, (_, i) => {
            const copy = Buffer.from(bytes);
            copy[i >> 3] ^= 1 << (i & 7);
            return copy.toString('base64url');
        });
        await assertRejected(flipped, 'flipped');
    });

    it('is dead when it is cut or longer', async () => {
        await assertRejected(Array.from({ length: 104 }, (_, i) => token.slice(0, i)), 'cut behind');
        await assertRejected(Array.from({ length: 104 }, (_, i) => token.slice(i + 1)), 'cut before');
        const more = [...alphabet, '=', '==', '.', '%', '"', '+', '/', ':', ',', 'AAAA', token, 'A'.repeat(6000)];
        await assertRejected(more.map((text) => token + text), 'longer behind');
        await assertRejected([...alphabet].map((text) => text + token), 'longer before');
    });

    it('is dead in every other spelling', async () => {
        const bytes = Buffer.from(token, 'base64url');
        const percent = [...token].map((c) => `%${c.charCodeAt(0).toString(16)}`).join('');
        const lined = Array.from({ length: 103 }, (_, i) => `${token.slice(0, i + 1)} ${token.slice(i + 1)}`);
        await assertRejected([
            token.replaceAll('-', '+').replaceAll('_', '/'), bytes.toString('base64'), token.toUpperCase(),
            token.toLowerCase(), swapCase(token), percent, `%${token.charCodeAt(0).toString(16)}${token.slice(1)}`,
            `"${token}"`, `'${token}'`, `"${token}`, `<${token}>`, `${token}.`, `${token}\\`,
            encodeURIComponent(`"${token}"`),
            bytes.toString('hex'), [...token].reverse().join(''), `latchkey=${token}`, ...lined.slice(0, 20),
        ], 'respelt');
    });

    it('is nothing when it is made up', async () => {
        const json = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
        const jwt = `${json({ alg: 'none', typ: 'JWT' })}.${json({ sub: 'alice', user: 'alice' })}.`;
        await assertRejected([
            '', '=', '==', '&=', 'a', 'null', 'undefined', 'true', '0', '-1', '[]', '{}', 'alice', jwt,
            `${jwt}${token}`,
            json({ user: 'alice', exp: 9999999999 }), JSON.stringify({ user: 'alice' }).replaceAll(',', '.'),
            'A'.repeat(104), '_'.repeat(104), '-'.repeat(104), '='.repeat(104),
            '%00'.repeat(30), "' OR 1=1--", '../../etc/passwd',
            '%s%n%x', '$6$x$y', 'deleted', 'AQ', `AXM${'A'.repeat(101)}`, `AWE${'A'.repeat(101)}`,
            '\xff'.repeat(104), '&=&'.repeat(2000),
        ], 'made up');
    });

    it('is dead when parts of it are those of another', async () => {
        const other = Buffer.from((await signedIn(at.port, bob)).jar.get('latchkey'), 'base64url');
        const bytes = Buffer.from(token, 'base64url');
        const parts = [[0, 1], [1, 2], [2, 6], [6, 14], [14, 46], [46, 78]];
        const spliced = [];
        for (let chosen = 1; chosen < 63; chosen++) {
            const copy = Buffer.from(bytes);
            parts.forEach(([from, to], i) => { if (chosen >> i & 1) other.copy(copy, from, from, to); });
            if (!copy.equals(bytes) && !copy.equals(other)) spliced.push(copy.toString('base64url'));
        }
        assert.ok(spliced.length > 20);
        await assertRejected(spliced, 'spliced');
        for (const fill of [0x00, 0xff]) {
            await assertRejected(parts.map(([from, to]) => {
                const copy = Buffer.from(bytes);
                return copy.fill(fill, from, to).toString('base64url');
            }), 'filled');
        }
    });

    it('is not made of what the server shows', async () => {
        const browser = new Browser(at.port);
        const csrf = formFields((await browser.fetch('/auth/login')).body).csrf;
        const sessionCsrf = await csrfOf(await signedIn(at.port));
        const ids = JSON.parse(at.install.do(['session', 'list', '--json'])).map(({ id }) => String(id));
        assert.ok(ids.length > 0);
        await assertRejected([browser.jar.get('latchkey'), csrf, sessionCsrf, csrf.repeat(3).slice(0, 104), ...ids,
            ...ids.map((id) => Buffer.from(id, 'hex').toString('base64url'))], 'shown');
    });

    it('is dead when it is signed with the secret of another installation', async () => {
        const secrets = path.join(at.install.state, 'secret');
        const kept = readFileSync(secrets);
        const other = new Install().init();
        const strange = readFileSync(path.join(other.state, 'secret'));
        await other.close();
        const browser = await signedIn(at.port);
        writeFileSync(secrets, strange);
        try {
            assert.equal((await browser.fetch('/private/page.html')).status, 303);
        } finally {
            writeFileSync(secrets, kept);
        }
        assert.equal((await browser.fetch('/private/page.html')).status, 200);
    });

    it('of nobody never becomes that of somebody', async () => {
        const { browser, fields } = await openForm(at.port);
        const anonymous = browser.jar.get('latchkey');
        assert.equal((await browser.post('/auth/login', fields, own)).status, 303);
        await assertRejected([anonymous], 'anonymous');
    });

    it('that is tampered with is replaced by a fresh one on the login page', async () => {
        const tampered = [token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A'), 'x', '', `${token}A`,
            'A'.repeat(104)];
        const given = new Set();
        for (const value of tampered) {
            const answer = await request(at.port, '/auth/login', { headers: { cookie: `latchkey=${value}` } });
            assert.equal(answer.status, 200);
            assert.equal(answer.cookies.length, 1);
            const [, fresh] = /^latchkey=([^;]*)/.exec(answer.cookies[0]);
            assert.equal(Buffer.from(fresh, 'base64url')[1], 'a'.charCodeAt(0));
            given.add(fresh);
            // It is good for signing in.
            const browser = new Browser(at.port);
            browser.jar.set('latchkey', fresh);
            const fields = { ...formFields(answer.body), username: alice.name, password: alice.password };
            assert.equal((await browser.post('/auth/login', fields)).status, 303);
        }
        assert.equal(given.size, tampered.length);
    });

    it('that the browser had before signing in is never the one it gets', async () => {
        const session = (await signedIn(at.port, bob)).jar.get('latchkey');
        const dead = await signedIn(at.port, bob);
        const deadToken = dead.jar.get('latchkey');
        await dead.signOut();
        for (const preset of [session, deadToken, 'A'.repeat(104), 'chosen-by-somebody']) {
            const browser = new Browser(at.port);
            browser.jar.set('latchkey', preset);
            const page = await browser.fetch('/auth/logout');
            const csrf = /name="csrf"/.test(page.body) ? formFields(page.body).csrf
                : formFields((await browser.fetch('/auth/login')).body).csrf;
            const answer = await browser.post('/auth/login', { csrf, username: alice.name,
            password: alice.password });
            assert.equal(answer.status, 303, preset);
            assert.notEqual(browser.jar.get('latchkey'), preset);
            assert.equal(await ask(at.port, [`latchkey=${preset}`]), rejected, preset);
        }
    });
});

behindEach('several cookies', {}, (at) => {
    let mine;
    let theirs;
    before(async () => {
        mine = `latchkey=${(await signedIn(at.port)).jar.get('latchkey')}`;
        theirs = `latchkey=${(await signedIn(at.port, bob)).jar.get('latchkey')}`;
    });

    const who = async (...lines) => {
        const answer = await ask(at.port, lines, '/auth/session');
        return JSON.parse(/\{.*\}/.exec(answer)[0]).user;
    };
    const passes = async (...lines) => (await ask(at.port, lines)).includes(secret);

    async function assertWho(name, ...lines) {
        assert.equal(await who(...lines), name, lines.join('\n'));
        assert.equal(await passes(...lines), name !== null, lines.join('\n'));
    }

    it('that are two different good tokens count as none', async () => {
        const anonymous = (await openForm(at.port)).browser.cookie;
        await assertWho(null, `${mine}; ${theirs}`);
        await assertWho(null, `${theirs}; ${mine}`);
        await assertWho(null, mine, theirs);
        await assertWho(null, `${mine}; ${anonymous}`);
        await assertWho(null, anonymous, mine);
        await assertWho(null, `${mine}; ${mine}; ${theirs}`);
        await assertWho('alice', mine);
        await assertWho('bob', theirs);
    });

    it('that are the same token count as one', async () => {
        await assertWho('alice', `${mine}; ${mine}`);
        await assertWho('alice', mine, mine, mine);
    });

    it('are tried whichever comes first, up to eight', async () => {
        const bad = (count) => Array.from({ length: count }, (_, i) => `latchkey=bad${i}`);
        await assertWho('alice', `${bad(1)[0]}; ${mine}`);
        await assertWho('alice', `${mine}; ${bad(1)[0]}`);
        await assertWho('alice', ...bad(2), mine);
        await assertWho('alice', [...bad(7), mine].join('; '));
        await assertWho('alice', [...bad(4), mine, ...bad(60)].join('; '));
        await assertWho(null, [...bad(8), mine].join('; '));
        await assertWho('alice', [...bad(7), mine, theirs].join('; '));
    });

    it('of other names do not matter, however many', async () => {
        const others = (count, value) => Array.from({ length: count }, (_, i) => `c${i}=${value}`).join('; ');
        await assertWho('alice', `${others(150, 'x'.repeat(20))}; ${mine}`);
        await assertWho('alice', `${others(7, 'x'.repeat(1000))}; ${mine}`);
        await assertWho('alice', `${mine}; ${others(150, 'x')}`);
    });

    it('may be joined in every way that browsers join them', async () => {
        for (const line of [`${mine};`, `;${mine}`, ` ${mine} `, `\t${mine}\t`, `${mine} ; x=1`,
            `x=1;${mine};y=2`, `x;${mine}`,
            `=x; ${mine}`, `x=; ${mine}`, `;;=;=;; ${mine}`, `${mine.replace('=', ' = ')}`,
            `x="a; ${mine}; y=b"`]) {
            await assertWho('alice', line);
        }
    });

    it('that are malformed hurt nobody', async () => {
        for (const line of ['', ' ', ';', '; ;', '='.repeat(100), ';'.repeat(1000), '&=', ';;=;', ',', '"',
            'latchkey', 'latchkey;',
            'latchkey=', '=latchkey', 'latchkey==', `latchkey=${'&='.repeat(3000)}`, 'latchkey_chunks=99999999',
            '\xff\xfe=\xfd', `${'x'.repeat(7000)}=1`]) {
            await assertWho(null, line);
        }
        await assertWho('alice', mine);
    });
});

// Apache makes one line of several with commas, which browsers do not send: nobody is signed in then.
behindEach('cookies in several lines', {}, (at) => {
    it('are none of ours', async () => {
        const cookie = `latchkey=${(await signedIn(at.port)).jar.get('latchkey')}`;
        for (const [lines, shown] of [[[cookie], true], [['a=b', cookie], false], [[cookie, 'a=b'], false]]) {
            assert.equal((await ask(at.port, lines)).includes(secret), shown, lines.join('\n'));
        }
    });
}, [apache]);

behindEach('a cookie', { session: { secure_cookie: 'yes' } }, (at) => {
    let token;
    before(async () => { token = (await signedIn(at.port)).jar.get('__Host-latchkey'); });

    const passes = async (...lines) => (await ask(at.port, lines)).includes(secret);

    it('of exactly our name counts', async () => {
        assert.ok(await passes(`__Host-latchkey=${token}`));
        assert.ok(await passes(`a=b; __Host-latchkey=${token}; c=d`));
    });

    it('of a name that only looks like ours does not', async () => {
        for (const line of [
            `latchkey=${token}`, `__Secure-latchkey=${token}`, `x__Host-latchkey=${token}`,
            `__Host-latchkey2=${token}`,
            `__Host-latchke=${token}`, `__host-latchkey=${token}`, `__HOST-LATCHKEY=${token}`,
            `__Host-Latchkey=${token}`,
            `%5f%5fHost-latchkey=${token}`, `__Host%2dlatchkey=${token}`, `__Host-latchkey%00=${token}`,
            `\xa0__Host-latchkey=${token}`, `\xc2\xa0__Host-latchkey=${token}`,
            `\xe2\x80\x80__Host-latchkey=${token}`,
            `\x85__Host-latchkey=${token}`, `\xc2\x85__Host-latchkey=${token}`, `__Host-latchkey\xa0=${token}`,
            `..Host-latchkey=${token}`, `_ Host-latchkey=${token}`, `_.Host-latchkey=${token}`,
            `__Host_latchkey=${token}`,
            `=__Host-latchkey=${token}`, `=${token}`, token, `__Host-latchkey:${token}`,
            `"__Host-latchkey"=${token}`,
            `x=__Host-latchkey=${token}`, `x=1, __Host-latchkey=${token}`, `x=1,__Host-latchkey=${token}`,
            `$Version=1, __Host-latchkey="${token}"`, `$Version="1"; __Host-latchkey="${token}"; $Path="/"`,
            `__Host-latchkey="${token}"`, `__Host-latchkey=${token},x=1`, `__Host-latchkey=${token}, x=1`,
            `__Host-latchkey[]=${token}`, `$__Host-latchkey=${token}`, `x&__Host-latchkey=${token}`,
        ]) {
            assert.equal(await passes(line), false, line);
        }
    });

    it('is not taken from anywhere but the Cookie header', async () => {
        for (const headers of [
            { cookie2: `__Host-latchkey=${token}` }, { 'set-cookie': `__Host-latchkey=${token}` },
            { authorization: `Bearer ${token}` }, { 'x-cookie': `__Host-latchkey=${token}` }, { latchkey: token },
            { '__Host-latchkey': token }, { session: token }, { 'http-cookie': `__Host-latchkey=${token}` },
        ]) {
            for (const target of ['/private/page.html', `/private/page.html?__Host-latchkey=${token}`,
                `/private/page.html;__Host-latchkey=${token}`]) {
                const answer = await request(at.port, target, { headers });
                assert.ok(!answer.body.includes(secret) && answer.status >= 300, JSON.stringify(headers));
            }
        }
    });
});
