// What the running programs keep in memory of the secrets that they were shown: nothing, once they have answered.
//
// Looked at are all processes of the programs as they are installed (a sanitizer keeps what was freed), after each
// step. One worker of each program, so that every request meets the memory that is looked at.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fastcgiRequest, required, runCgi } from './support/direct.mjs';
import { formType } from './support/forms.mjs';
import { Browser, encodeForm, formFields } from './support/http.mjs';
import { Service, alice, plainLatchkey, until } from './support/install.mjs';
import { findInMemory, flagsAt, pieces, readSecret } from './support/memory.mjs';
import { children, findAll } from './support/processes.mjs';
import { forEachStore } from './support/stores.mjs';
import { isRoot } from './support/unprivileged.mjs';

const page = { password: '/auth/account/password', link: '/auth/account/link', login: '/auth/login' };

// The keys that each program has (crypto/keyring.h).
const keysOf = {
    latchkey: [],
    login: ['audit', 'csrf', 'seal', 'throttle', 'token'],
    account: ['audit', 'csrf', 'seal', 'throttle', 'token'],
    logout: ['audit', 'csrf', 'seal', 'token'],
    gate: ['seal', 'token'],
};

// A password of which every form (raw, percent-encoded, as a form has it) and every part of some twenty bytes holds
// its mark: letters and digits, which no form changes.
class Canaries {
    constructor() {
        this.needles = [];
    }

    make(what, head, units = 20) {
        const mark = `Zq${this.needles.length}Xv7Lw`;
        this.needles.push({ what, bytes: Buffer.from(mark) });
        return `${head} ${Array.from({ length: units }, () => mark).join('é&% ')}`;
    }

    // What a browser was given. The beginning of a token says only what kind it is, and of what time.
    noteTokens(browser) {
        for (const [name, text] of browser.jar) {
            if (!/^latchkey(-device)?$/.test(name) || this.needles.some((needle) => needle.token === text)) continue;
            const bytes = Buffer.from(text, 'base64url');
            this.needles.push(...pieces(`a token's text (${name})`, text.slice(20)).slice(0, 20)
                .map((needle) => ({ ...needle, token: text })));
            if (bytes.length === 78) this.needles.push(...pieces(`a token's id (${name})`, bytes.subarray(14, 30), { length: 8 }));
        }
    }
}

// Looks at every process until nothing is found: an answer leaves before the worker has cleaned up behind it.
async function assertForgotten(at, step) {
    let found;
    for (const end = Date.now() + 5000; Date.now() < end; await sleep(50)) {
        found = findAll(at.install).flatMap((pid) => findInMemory(pid, at.canaries.needles)
            .map(({ what, name, around }) => `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} ${pid} ${name}: ${what}: ${around}`));
        if (found.length === 0) return;
    }
    assert.deepEqual(found, [], `after ${step}`);
}

const nameOf = (pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim();

// Sends what is left of a request after `keep` of its bytes, and goes away.
async function sendAndLeave(where, bytes, keep = bytes.length) {
    const socket = net.connect(where);
    socket.on('error', () => {});
    await new Promise((resolve) => { socket.on('connect', () => socket.write(bytes.subarray(0, keep), resolve)); });
    await sleep(50);
    socket.destroy();
}

// Signs in with the form, and notes what the browser was given.
async function signIn(at, web, user) {
    const browser = new Browser(web.port);
    const answer = await browser.signIn(user);
    at.canaries.noteTokens(browser);
    return { browser, status: answer.status };
}

const settings = { workers: { login: 1, logout: 1, account: 1, gate: 1 }, throttle: { attempts: 3 } };

const define = (at) => {
    const user = { name: 'canary' };

    it('set-up', () => {
        at.canaries = new Canaries();
        user.password = at.canaries.make('the password', 'pelican turnip vestibule morose');
        at.install.addUser(user);
    });

    it('are looked for where they could be', () => {
        for (const pid of findAll(at.install)) {
            assert.ok(findInMemory(pid, [{ what: 'a path', bytes: Buffer.from(at.install.folder) }]).length > 0, nameOf(pid));
        }
    });

    it('a password and the tokens for it, right and wrong', async () => {
        const wrong = { ...user, password: at.canaries.make('a wrong password', 'quorum anvil') };
        const nobody = { name: at.canaries.make('a password for a name', '', 3), password: wrong.password };
        for (const web of at.webs) {
            assert.equal((await signIn(at, web, wrong)).status, 403);
            assert.equal((await signIn(at, web, nobody)).status, 403);
            await assertForgotten(at, 'a wrong password');
            const { browser, status } = await signIn(at, web, user);
            assert.equal(status, 303);
            await assertForgotten(at, 'signing in');
            for (const target of ['/private/page.html', '/auth/session', '/auth/account', '/auth/account/sessions', '/auth/login']) {
                assert.ok((await browser.fetch(target)).status < 400, target);
            }
            await assertForgotten(at, 'showing the cookie');
            const { csrf } = formFields((await browser.fetch('/auth/logout')).body);
            at.canaries.needles.push(...pieces('the csrf value of forms', csrf));
            await assertForgotten(at, 'showing a form');
            assert.equal((await browser.signOut()).status, 303);
            await assertForgotten(at, 'signing out');
        }
    });

    it('a new password', async () => {
        const weak = at.canaries.make('a refused password', 'canary');
        for (const web of at.webs) {
            const { browser } = await signIn(at, web, user);
            const fresh = at.canaries.make('a new password', 'umbrella gecko parchment swivel');
            const change = (fields) => browser.submit(page.password, { current: user.password, ...fields });
            assert.equal((await change({ new: weak, again: weak })).status, 403);
            assert.equal((await change({ new: fresh, again: weak })).status, 403);
            assert.equal((await change({ current: weak, new: fresh, again: fresh })).status, 403);
            await assertForgotten(at, 'a refused new password');
            assert.equal((await change({ new: fresh, again: fresh })).status, 303);
            at.canaries.noteTokens(browser);
            await assertForgotten(at, 'a new password');
            user.password = fresh;
            const { body } = await browser.fetch('/auth/account/sessions');
            assert.equal((await browser.post('/auth/account/sessions', { csrf: formFields(body).csrf, all: '1' })).status, 303);
            await assertForgotten(at, 'ending all sessions');
        }
    });

    it('the code of a link, and the password that is set on it', async () => {
        for (const web of at.webs) {
            const line = at.install.do(['user', 'reset-link', user.name]).split('\n').find((text) => text.includes('code='));
            const code = new URL(line.trim(), 'http://host').searchParams.get('code');
            at.canaries.needles.push(...pieces('the code of a link', code));
            const wanted = at.canaries.make('a password set on a link', 'mosaic ferret icicle bagpipe');
            const browser = new Browser(web.port);
            const shown = await browser.fetch(`${page.link}?code=${code}`);
            assert.equal(shown.status, 200);
            await assertForgotten(at, 'looking at a link');
            const use = (fields) => browser.post(page.link, { ...formFields(shown.body), ...fields });
            assert.equal((await use({ new: wanted, again: `${wanted}x` })).status, 403);
            assert.equal((await use({ new: wanted, again: wanted })).status, 303);
            at.canaries.noteTokens(browser);
            user.password = wanted;
            await assertForgotten(at, 'using a link');
            assert.equal((await browser.fetch(`${page.link}?code=${code}`)).status, 404);
            await assertForgotten(at, 'a link that was used');
        }
    });

    it('a password of which crypt(3) made the hash', async () => {
        const imported = { name: 'imported', password: at.canaries.make('an imported password', 'otter', 3) };
        const made = spawnSync('htpasswd', ['-niB', '-C', '5', imported.name], { input: imported.password, encoding: 'utf8' });
        assert.equal(made.status, 0, made.stderr);
        const file = path.join(at.install.folder, 'htpasswd');
        writeFileSync(file, made.stdout.trim() + '\n');
        at.install.do(['user', 'import', file]);
        assert.equal((await signIn(at, at.webs[0], { ...imported, password: `${imported.password}!` })).status, 403);
        assert.equal((await signIn(at, at.webs[0], imported)).status, 303);
        await assertForgotten(at, 'a password of another scheme');
    });

    it('a password in a request that is refused', async () => {
        for (const web of at.webs) {
            const browser = new Browser(web.port);
            const fields = { ...formFields((await browser.fetch(page.login)).body), username: user.name };
            at.canaries.noteTokens(browser);
            const send = async (what, status, canary, headers, body = encodeForm({ ...fields, password: canary })) => {
                const answer = await browser.post(page.login, body, headers);
                assert.equal(answer.status, status, what);
                await assertForgotten(at, what);
            };
            const make = (units = 20) => at.canaries.make('a password in a refused request', 'x', units);
            await send('a body that is too large', 413, make(5000));
            await send('a body just over the limit', 413, make(800));
            await send('another type', 415, make(), { 'content-type': 'text/plain' });
            await send('a form that is broken', 400, '', {}, `${encodeForm({ ...fields, password: make() })}&%zz=1`);
            await send('a field that comes twice', 400, '', {}, `password=1&${encodeForm({ ...fields, password: make() })}`);
            await send('a wrong csrf value', 403, '', {}, encodeForm({ ...fields, csrf: 'x', password: make() }));
            await send('a strange origin', 403, make(), { origin: 'http://elsewhere.example' });
            await send('a password that is too long', 403, make(100));
        }
    });

    it('a password of somebody who has to wait', async () => {
        const impatient = { name: 'impatient', password: at.canaries.make('a password that waits', 'brisket lantern oboe') };
        at.install.addUser(impatient);
        for (let i = 0; i < 4; i++) await signIn(at, at.webs[0], { ...impatient, password: 'wrong' });
        assert.equal((await signIn(at, at.webs[0], impatient)).status, 429);
        await assertForgotten(at, 'a password that was not tried');
    });

    it('a password of somebody who went away', async () => {
        const cookie = 'latchkey=x';
        const form = () => encodeForm({ username: user.name, password: at.canaries.make('a password that was cut', 'x'), csrf: 'x' });
        for (const web of at.webs) {
            const body = form();
            const bytes = Buffer.from(`POST ${page.login} HTTP/1.1\r\nHost: h\r\nCookie: ${cookie}\r\nContent-Type: ${formType}\r\n` +
                `Content-Length: ${body.length}\r\n\r\n${body}`);
            await sendAndLeave({ port: web.port, host: '127.0.0.1' }, bytes, bytes.length - 10);
            await sendAndLeave({ port: web.port, host: '127.0.0.1' }, bytes);
            await assertForgotten(at, `going away, ${web.name}`);
        }
        for (const program of ['login', 'account', 'logout', 'gate']) {
            const body = form();
            const variables = { ...required, REQUEST_METHOD: 'POST', REQUEST_URI: `/auth/${program}`, SCRIPT_NAME: `/auth/${program}`,
                CONTENT_TYPE: formType, CONTENT_LENGTH: String(body.length),
                HTTP_COOKIE: `latchkey=${at.canaries.make('a cookie', '').trim().replace(/[^A-Za-z0-9]/g, '')}` };
            const bytes = fastcgiRequest(variables, 'responder', body);
            const large = fastcgiRequest({ ...variables, CONTENT_LENGTH: '40000' }, 'responder', form() + 'x'.repeat(40000));
            // In the parameters, in the body, before its end; and without waiting for an answer.
            for (const keep of [200, bytes.length - body.length, bytes.length - 40, bytes.length]) {
                await sendAndLeave(at.install.socket(program), bytes, keep);
                await assertForgotten(at, `${keep} of ${bytes.length} bytes for ${program}`);
            }
            await sendAndLeave(at.install.socket(program), large, large.length - 1000);
            await assertForgotten(at, `a large request for ${program} that was cut`);
        }
    });

    it('what a session remembers, where it is sealed in the cookie', { skip: at.store !== 'cookie' }, async () => {
        const { browser } = await signIn(at, at.webs[0], user);
        const remark = at.canaries.make('session data', 'rye', 5);
        const visit = (method, body = '') => runCgi(at.install, '../examples/cart', { ...required, REQUEST_METHOD: method,
            REQUEST_URI: '/cart', SCRIPT_NAME: '/cart', HTTP_COOKIE: browser.cookie, CONTENT_TYPE: formType,
            CONTENT_LENGTH: String(body.length) }, { input: body });
        const { csrf } = formFields(visit('GET').body);
        const put = visit('POST', encodeForm({ csrf, action: 'add', article: 'bread', remark }));
        assert.equal(put.status, 303, put.body);
        browser.jar.set('latchkey', /^latchkey=([^;]*)/.exec(put.headers['set-cookie'])[1]);
        at.canaries.noteTokens(browser);
        for (const target of ['/private/page.html', '/auth/session', '/auth/account/sessions', '/auth/logout', '/auth/login']) {
            assert.ok((await browser.fetch(target)).status < 400, target);
            await assertForgotten(at, target);
        }
        const fresh = at.canaries.make('a new password', 'umbrella gecko parchment swivel');
        assert.equal((await browser.submit(page.password, { current: user.password, new: fresh, again: fresh })).status, 303);
        at.canaries.noteTokens(browser);
        assert.ok(visit('GET').body.includes('rye Zq'));
        await assertForgotten(at, 'taking data along');
    });

    it('the secret of the installation, and keys for what a program does not do', () => {
        const secret = readSecret(at.install);
        const needles = [...pieces('the text of the secret', secret.text), ...pieces('the secret', secret.bytes, { length: 8 })];
        for (const pid of findAll(at.install)) {
            const keys = findInMemory(pid, secret.keys);
            assert.deepEqual(keys.map(({ what }) => what).sort(), keysOf[nameOf(pid)], `keys in ${nameOf(pid)} ${pid}`);
            assert.deepEqual(findInMemory(pid, needles).map(({ what }) => what), [], nameOf(pid));
            const isMaster = children(pid).length > 0;
            for (const { place } of keys) {
                const flags = flagsAt(pid, place);
                assert.ok(flags.includes('dd'), `not to be dumped: ${flags}`);
                // A worker has the page in common with its master, who locked it.
                if (isMaster) assert.ok(flags.includes('lo'), `locked: ${flags}`);
            }
        }
    });

    it('a secret that was revoked', async () => {
        const former = readSecret(at.install);
        at.install.do(['secret', 'revoke']);
        const secret = readSecret(at.install);
        const { browser, status } = await signIn(at, at.webs[0], alice);
        assert.equal(status, 303);
        for (const target of ['/private/page.html', '/auth/session', '/auth/logout']) {
            assert.equal((await browser.fetch(target)).status, 200, target);
        }
        const workers = children(at.install.service.pid).filter(({ name }) => keysOf[name].length > 0)
            .flatMap(({ pid }) => children(pid).map((worker) => worker.pid));
        assert.ok(workers.length >= 4);
        const needles = [secret, former].flatMap(({ text, bytes }) =>
            [...pieces('the text of a secret', text), ...pieces('a secret', bytes, { length: 8 })]);
        for (const pid of workers) {
            const keys = findInMemory(pid, secret.keys);
            if (keys.length === 0) continue; // the porter of a program that was not asked
            assert.deepEqual(keys.map(({ what }) => what).sort(), keysOf[nameOf(pid)]);
            assert.deepEqual(findInMemory(pid, [...former.keys, ...needles]).map(({ what }) => what), [], nameOf(pid));
            for (const { place } of keys) assert.deepEqual(flagsAt(pid, place).filter((flag) => /^(dd|lo)$/.test(flag)).sort(), ['dd', 'lo']);
        }
        await assertForgotten(at, 'another secret');
    });

    it('are found where they are, each of them', async () => {
        const keeper = new Service('cat', [], { stdio: ['pipe', 'ignore', 'ignore'] });
        keeper.child.stdin.write(Buffer.concat(at.canaries.needles.map(({ bytes }) => bytes)));
        const missed = () => {
            const found = new Set(findInMemory(keeper.pid, at.canaries.needles).map(({ bytes }) => bytes.toString('latin1')));
            return at.canaries.needles.filter(({ bytes }) => !found.has(bytes.toString('latin1')));
        };
        await until('cat to keep all', () => missed().length === 0);
        await keeper.stop();
    });
};

if (isRoot) forEachStore('secrets in memory', define, { settings, serve: () => ({ command: plainLatchkey }) });
else it('secrets in memory', { skip: 'only root may look into such processes' }, () => {});
