// Every token in every place but its own, of every key, kind and version, of users that are gone, and
// with times that cannot be: in each store all get the same answer, byte by byte, as no token at all.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { before, it } from 'node:test';
import { askFastcgi, required, runCgi } from './support/direct.mjs';
import { forgePlain, forgeSealed, kinds, readSecret } from './support/forge.mjs';
import { csrfOf, formType, host, isSignedIn, own, signedIn } from './support/forms.mjs';
import { Browser, encodeForm, formFields, request } from './support/http.mjs';
import { Install, alice, bob } from './support/install.mjs';
import { many } from './support/replay.mjs';
import { forEachStore } from './support/stores.mjs';

const decode = (text) => Buffer.from(text, 'base64url');
const encode = (bytes) => bytes.toString('base64url');
const far = 9223372036854775807n;

forEachStore('a token', (at) => {
    let browser;
    let token;
    let rejected;

    const ask = (program, cookie) => askFastcgi(at.install.socket(program),
        { ...required, HTTP_HOST: host, ...(program === 'account' && { REQUEST_URI: '/auth/session' }),
            HTTP_COOKIE: cookie });

    before(async () => {
        browser = await signedIn(at.webs[0].port);
        token = browser.jar.get('latchkey');
        rejected = {
            gate: (await ask('gate', 'x=y')).text, account: (await ask('account', 'x=y')).text,
        };
        assert.match(rejected.gate, /^Status: 401 /);
        assert.match(rejected.account, /^Status: 401 [^]*\{"user":null\}/);
    });

    // Not known to the gate, nor to a page.
    async function assertRejected(values, what) {
        assert.ok(values.length > 0);
        await many(values.length, async (index) => {
            const cookie = `latchkey=${values[index]}`;
            assert.equal((await ask('gate', cookie)).text, rejected.gate, `${what}: ${values[index]}`);
            if (index % 16 === 0) assert.equal((await ask('account', cookie)).text, rejected.account,
                `${what}: ${values[index]}`);
        });
        assert.equal((await ask('gate', `latchkey=${token}`)).status, 204, 'the control');
    }
    const change = (at, byte, bytes = decode(token)) => {
        const copy = Buffer.from(bytes);
        copy[at] = byte;
        return encode(copy);
    };
    const valueOf = (cookie) => cookie.slice('latchkey='.length);
    const now = () => Math.floor(Date.now() / 1000);

    it('is nothing with another version, kind or key', async () => {
        const bytes = decode(token);
        const values = Array.from({ length: 6 * 256 }, (_, i) => [i >> 8, i & 255])
            .filter(([place, byte]) => bytes[place] !== byte).map(([place, byte]) => change(place, byte));
        assert.equal(values.length, 6 * 255);
        await assertRejected(values, 'header');
    });

    it('is nothing with a byte more, before or behind, nor with a tag of nothing', async () => {
        const bytes = decode(token);
        const tags = [16, 32]; // of sealed and of plain ones
        await assertRejected([
            ...Array.from({ length: 256 }, (_, byte) => encode(Buffer.concat([bytes, Buffer.from([byte])]))),
            ...Array.from({ length: 256 }, (_, byte) => encode(Buffer.concat([Buffer.from([byte]), bytes]))),
            ...tags.flatMap((length) => [
                encode(bytes.subarray(0, -length)),
                ...[0, 0xff].map((fill) => encode(Buffer.concat([bytes.subarray(0, -length),
                    Buffer.alloc(length, fill)]))),
                encode(Buffer.concat([bytes.subarray(0, -length),
                    createHash('sha256').update(bytes.subarray(0, -length)).digest().subarray(0, length)])),
            ]),
        ], 'longer');
    });

    it('is nothing after random changes of any kind', async () => {
        const signs = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=%.,"';
        const chance = (below) => randomBytes(4).readUInt32BE() % below;
        const values = Array.from({ length: 2500 }, () => {
            const text = [...token];
            for (let times = 1 + chance(4); times > 0; times--) {
                const place = chance(text.length);
                const sign = signs[chance(signs.length)];
                const from = chance(text.length);
                [
                    () => { text[place] = sign; }, () => text.splice(place, 1 + chance(8)),
                    () => text.splice(place, 0, sign), () => text.push(...text.splice(0, place)),
                    () => text.splice(place, 0, ...text.slice(from, from + 8)),
                ][chance(5)]();
            }
            return text.join('');
        }).filter((text) => text !== token);
        await assertRejected(values, 'changed');
    });

    it('of another purpose is no session, and a session\'s is of no other purpose', async () => {
        const { port } = at.webs[0];
        const nobody = new Browser(port);
        const page = await nobody.fetch('/auth/login?next=/a');
        const user = { name: 'linked', password: 'a long sentence of this user' };
        at.install.addUser(user);
        const [, code] = /[?&]code=([A-Za-z0-9_-]+)/.exec(at.install.do(['user', 'reset-link', user.name]));
        const id = decode(token).subarray(14, 46);
        const secret = readSecret(at);
        const others = {
            anonymous: nobody.jar.get('latchkey'), csrf: formFields(page.body).csrf, code, hops: '1',
            'csrf of the session': await csrfOf(browser), device: browser.jar.get('latchkey-device'),
            'what the list shows': JSON.parse(at.install.do(['session', 'list', '--json']))[0].id,
            'the id alone': encode(id), 'the id in hexadecimal': id.toString('hex'),
            'the digest of the id': encode(createHash('sha256').update(id).digest()),
            'the secret': readFileSync(path.join(at.install.state, 'secret'), 'utf8').trim().split(' ').at(-1),
            'made with the key of csrf': valueOf(forgePlain(secret, kinds.database, id, now(), secret.csrf)),
            'made with the key of sealing': valueOf(forgePlain(secret, kinds.database, id, now(), secret.seal)),
            'sealed with the key of tokens': valueOf(forgeSealed(secret, id, { id: 1, salt: randomBytes(32) }, now(),
                { key: secret.token })),
            'of a kind that is none': valueOf(forgePlain(secret, 'x', id, now())),
            'a device that is a session': valueOf(forgePlain(secret, kinds.device, id, now())),
            'plain, but said to be sealed': valueOf(forgePlain(secret, kinds.cookie, id, now())),
            JWT: `${encode(Buffer.from('{"alg":"none","typ":"JWT"}'))}.${encode(Buffer.from('{"sub":"alice"}'))}.`,
            'signed JWT': ['{"alg":"HS256"}', '{"sub":"alice"}', randomBytes(32)]
                .map((part) => encode(Buffer.from(part))).join('.'),
            JSON: encode(Buffer.from('{"user":"alice","expires":9999999999}')), 'a user name': alice.name,
        };
        await assertRejected(Object.values(others), 'another purpose');
        // Each, and the session's own, in the places of the others.
        for (const [name, value] of Object.entries({ ...others, session: token })) {
            if (name !== 'code') {
                const link = await request(port, `/auth/account/link?code=${encodeURIComponent(value)}`);
                assert.equal(link.status, 404, name);
            }
            if (name !== 'csrf of the session') {
                const answer = await browser.post('/auth/logout', { csrf: value }, own);
                assert.equal(answer.status, 403, name);
            }
            if (name !== 'csrf') {
                const answer = await nobody.post('/auth/login',
                    { csrf: value, username: alice.name, password: alice.password }, own);
                assert.equal(answer.status, 403, name);
            }
            assert.ok(await isSignedIn(browser), name);
        }
        assert.equal((await request(port, `/auth/account/link?code=${code}`)).status, 200, 'the control');
    });

    it('of another site is nothing, be it of the same secret', async () => {
        const other = new Install(at.install.settings).init();
        copyFileSync(path.join(at.install.state, 'secret'), path.join(other.state, 'secret'));
        const asked = (cookie) => runCgi(other, 'gate', { ...required, HTTP_COOKIE: cookie });
        assert.equal(asked(`latchkey=${token}`).status, 401);
        const page = runCgi(other, 'login', { ...required, REQUEST_URI: '/auth/login', HTTP_HOST: host });
        const body = encodeForm({ ...formFields(page.body), username: alice.name, password: alice.password });
        const answer = runCgi(other, 'login', {
            ...required, REQUEST_METHOD: 'POST', REQUEST_URI: '/auth/login', HTTP_HOST: host, CONTENT_TYPE: formType,
            CONTENT_LENGTH: String(body.length), HTTP_COOKIE: page.headers['set-cookie'].split(';')[0],
        }, { input: body });
        const [cookie] = answer.headers['set-cookie'].split(';');
        assert.equal(asked(cookie).status, 204, 'the control');
        await assertRejected([valueOf(cookie)], 'of another site');
        await other.close();
    });

    it('of a user who was removed is not that of one with the same name', async () => {
        const user = { name: 'phoenix', password: 'a long sentence of this user' };
        at.install.addUser(user);
        const former = await signedIn(at.webs[0].port, user);
        assert.equal((await ask('gate', former.cookie)).status, 204);
        for (const act of [
            () => at.install.do(['user', 'remove', user.name]), () => at.install.addUser(user),
            () => at.install.do(['user', 'lock', user.name]), () => at.install.do(['user', 'unlock', user.name]),
        ]) {
            act();
            await assertRejected([former.jar.get('latchkey')], 'former');
        }
        assert.equal((await ask('gate', (await signedIn(at.webs[0].port, user)).cookie)).status, 204);
        assert.ok(await isSignedIn(await signedIn(at.webs[0].port, bob)));
    });

    it('with times that cannot be is nothing, though it was made with the secret', async () => {
        const secret = readSecret(at);
        const sql = spawnSync('sqlite3', ['-cmd', '.timeout 5000', path.join(at.install.state, 'latchkey.db'),
            "SELECT id, hex(salt) FROM user WHERE name = 'alice'"], { encoding: 'utf8' });
        const [number, salt] = sql.stdout.trim().split('|');
        const user = { id: Number(number), salt: Buffer.from(salt, 'hex') };
        const id = randomBytes(32);
        const seal = (more, who = user) => valueOf(forgeSealed(secret, id, who, now(), more));
        const times = [
            { issued: now() + 86400 }, { issued: far }, { issued: -1 }, { issued: 0 }, { issued: now() - 7300 },
            { created: now() + 86400 }, { created: 0 }, { created: -1 }, { created: far },
            { idle: 0 }, { idle: -1 }, { expires: now() - 1 }, { expires: 0 }, { expires: -1 },
            { expires: now() - 86400 }, { created: now() - 90000, expires: now() - 3600 }, { remember: 2 },
            { remember: 255 }, { created: now() + 10, expires: now() + 5 },
        ];
        const whose = [{ ...user, id: 0 }, { ...user, id: -1 }, { ...user, id: user.id + 1 }, { ...user, id: 999999 },
            { ...user, id: far }, { ...user, salt: Buffer.alloc(32) }, { ...user, salt: randomBytes(32) }];
        await assertRejected([...times.map((more) => seal(more)), ...whose.map((who) => seal({}, who))], 'sealed');
        // The control: without such times it is good, where sessions live in cookies.
        assert.equal((await ask('gate', `latchkey=${seal({})}`)).status, at.store === 'cookie' ? 204 : 401);
        const kind = kinds[at.store === 'cookie' ? 'database' : at.store];
        const key = decode(token).subarray(14, 46);
        await assertRejected([now() + 86400, far, -1].map((issued) => valueOf(forgePlain(secret, kind, key, issued))),
            'plain');
        const plain = await ask('gate', forgePlain(secret, kind, key, now()));
        assert.equal(plain.status, at.store === 'cookie' ? 401 : 204, 'the control');
    });
});
