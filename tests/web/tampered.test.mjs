// Tokens of each store that were changed in any way: the gate takes them for nothing, and the login
// page gives the browser a fresh token of nobody.
import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { signedIn } from './support/forms.mjs';
import { Browser, formFields } from './support/http.mjs';
import { alice } from './support/install.mjs';
import { get, many } from './support/replay.mjs';
import { secret } from './support/servers.mjs';
import { forEachStore } from './support/stores.mjs';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const anonymousKind = 'a'.charCodeAt(0);

const decode = (text) => Buffer.from(text, 'base64url');

// The token that an answer sets; undefined without one.
const given = (text) => /^set-cookie: latchkey=([A-Za-z0-9_-]+); /mi.exec(text)?.[1];

forEachStore('a tampered token', (at) => {
    let token;
    const fresh = new Set();

    before(async () => {
        // One with letters of both alphabets' difference in it.
        do {
            token = (await signedIn(at.webs[0].port)).jar.get('latchkey');
        } while (!/[-_]/.test(token));
    });

    async function assertRefused(value, what) {
        for (const { name, port } of at.webs) {
            const gate = await get(port, '/private/page.html', `latchkey=${value}`);
            assert.equal(gate.status, 303, `${name}, ${what}: ${value}`);
            assert.ok(!gate.text.includes(secret));
        }
        const login = await get(at.webs[fresh.size % at.webs.length].port, '/auth/login', `latchkey=${value}`);
        assert.equal(login.status, 200, `${what}: ${value}`);
        const replaced = given(login.text);
        assert.ok(replaced !== undefined && replaced !== value, what);
        assert.equal(decode(replaced)[1], anonymousKind, what);
        assert.ok(!fresh.has(replaced), 'each is new');
        fresh.add(replaced);
    }

    async function assertAllRefused(values, what) {
        assert.ok(values.length > 0 && !values.includes(token));
        await many(values.length, (index) => assertRefused(values[index], `${what} ${index}`));
        for (const { port } of at.webs) {
            assert.equal((await get(port, '/private/page.html', `latchkey=${token}`)).status, 200, 'the control');
        }
    }

    it('is nothing when any one bit of it is another', async () => {
        const bytes = decode(token);
        assert.ok(bytes.length >= 78);
        await assertAllRefused(Array.from({ length: bytes.length * 8 }, (_, i) => {
            const copy = Buffer.from(bytes);
            copy[i >> 3] ^= 1 << (i & 7);
            return copy.toString('base64url');
        }), 'bit');
    });

    it('is nothing when it is cut, anywhere and at either end', async () => {
        await assertAllRefused(Array.from(token, (_, i) => token.slice(0, i)), 'cut behind');
        await assertAllRefused(Array.from(token, (_, i) => token.slice(i + 1)), 'cut before');
        const bytes = decode(token);
        await assertAllRefused(Array.from(bytes, (_, i) =>
            Buffer.concat([bytes.subarray(0, i), bytes.subarray(i + 1)]).toString('base64url')), 'a byte less');
    });

    it('is nothing in any other spelling of the same bytes', async () => {
        const bytes = decode(token);
        const spelt = [
            bytes.toString('base64'), token.replaceAll('-', '+').replaceAll('_', '/'),
            token.replaceAll('-', '+'), token.replaceAll('_', '/'),
            `${token}=`, `${token}==`, `${token}===`, `=${token}`, `"${token}"`, `${token}.`, `${token}A`, `${token}AA`,
            `${token}AAA`, `${token}AAAA`, token.replace(/[a-z]/, (c) => c.toUpperCase()), bytes.toString('hex'),
            ...[1, 4, 40, token.length - 1].flatMap((i) => [' ', '\t', '%20', '+', '='].map((sign) =>
                token.slice(0, i) + sign + token.slice(i))),
        ].filter((text) => text !== token);
        // The last letter, whose low bits say nothing in some lengths.
        const last = [...alphabet].map((letter) => token.slice(0, -1) + letter).filter((text) => text !== token);
        await assertAllRefused([...new Set([...spelt, ...last])], 'spelling');
    });

    it('is nothing when the parts of it are those of another', async () => {
        const other = decode((await signedIn(at.webs[0].port)).jar.get('latchkey'));
        const bytes = decode(token);
        const spliced = Array.from({ length: Math.min(bytes.length, other.length) - 7 }, (_, i) =>
            Buffer.concat([bytes.subarray(0, i + 7), other.subarray(i + 7)]))
            .filter((mixed) => !mixed.equals(other) && !mixed.equals(bytes)); // the last byte of both may be the same
        await assertAllRefused(spliced.map((mixed) => mixed.toString('base64url')), 'spliced');
    });

    it('is nothing when it claims to be of another kind', async () => {
        const bytes = decode(token);
        const others = [...'ascde'].map((kind) => kind.charCodeAt(0)).filter((kind) => kind !== bytes[1]);
        await assertAllRefused([0, 1, 0xff, ...others].map((kind) => {
            const copy = Buffer.from(bytes);
            copy[1] = kind;
            return copy.toString('base64url');
        }), 'kind');
    });

    it('is replaced by one that is good for signing in', async () => {
        const browser = new Browser(at.webs[0].port);
        browser.jar.set('latchkey', `${token.slice(0, 50)}${token[50] === 'x' ? 'y' : 'x'}${token.slice(51)}`);
        const page = await browser.fetch('/auth/login');
        assert.equal(page.status, 200);
        const fields = { ...formFields(page.body), username: alice.name, password: alice.password };
        assert.equal((await browser.post('/auth/login', fields)).status, 303);
        assert.equal((await browser.fetch('/private/page.html')).status, 200);
    });
});
