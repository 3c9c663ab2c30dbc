// Secrets on disk: files are private whatever the umask, a secret file that is not is not used, and
// what nobody may learn stands in no log, list, page, file, argument or environment.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
    chmodSync, chownSync, copyFileSync, lstatSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync,
    symlinkSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { required, runCgi } from './support/direct.mjs';
import { csrfOf, openForm, signedIn } from './support/forms.mjs';
import { Browser, formFields } from './support/http.mjs';
import { alice, bob, until } from './support/install.mjs';
import { findAll } from './support/processes.mjs';
import { get } from './support/replay.mjs';
import { secret as shown } from './support/servers.mjs';
import { forEachStore } from './support/stores.mjs';

process.umask(0);

const page = '/private/page.html';

function walk(folder) {
    return readdirSync(folder).map((name) => path.join(folder, name))
        .flatMap((file) => (lstatSync(file).isDirectory() ? [file, ...walk(file)] : [file]));
}

// Ways in which the secret file can be wrong; `file` is gone and `good` is a sound copy of it.
const writeWith = (change) => (file, good) => writeFileSync(file, change(readFileSync(good, 'latin1')), { encoding: 'latin1', mode: 0o600 });
const withMode = (mode) => (file, good) => {
    copyFileSync(good, file);
    chmodSync(file, mode);
};
const wrongs = {
    ...Object.fromEntries([0o644, 0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666, 0o777]
        .map((mode) => [`of mode 0${mode.toString(8)}`, withMode(mode)])),
    'that is a link to it': (file, good) => symlinkSync(good, file),
    'that is a link to nowhere': (file) => symlinkSync('nowhere', file),
    'that is a FIFO': (file) => assert.equal(spawnSync('mkfifo', ['-m', '600', file]).status, 0),
    'that is a folder': (file) => mkdirSync(file, { mode: 0o700 }),
    'that is missing': () => {},
    'that is empty': writeWith(() => ''),
    'that is cut': writeWith((text) => text.slice(0, 30)),
    'without its line end': writeWith((text) => text.slice(0, -1)),
    'with an empty line behind it': writeWith((text) => `${text}\n`),
    'with a NUL behind it': writeWith((text) => `${text}\0`),
    'with a NUL in it': writeWith((text) => `${text.slice(0, 20)}\0${text.slice(21)}`),
    'with lines of other systems': writeWith((text) => text.replace('\n', '\r\n')),
    'of zeros': writeWith((text) => `${text.slice(0, 9)}${'A'.repeat(43)}\n`),
    'with the same secret twice': writeWith((text) => text + text),
    'of another format': writeWith(() => '-----BEGIN PRIVATE KEY-----\n'),
};

forEachStore('secrets on disk', (at) => {
    const file = () => path.join(at.install.state, 'secret');
    const logSince = (mark) => at.install.log.slice(mark);

    // A browser's session with all that is secret in it.
    async function useEverything(canaries) {
        const [web, other] = at.webs;
        const keep = (what, text) => canaries.set(`${what} ${canaries.size}`, text);
        const { browser, fields } = await openForm(web.port);
        keep('anonymous token', browser.jar.get('latchkey'));
        keep('csrf value', fields.csrf);
        for (const [username, password] of [[alice.name, 'wrong-password-4711'], ['a-password-typed-as-the-name', 'wrong-password-4712']]) {
            keep('wrong password', password);
            if (username !== alice.name) keep('name that nobody has', username);
            assert.equal((await browser.post('/auth/login', { ...fields, username, password })).status, 403);
        }
        assert.equal((await browser.post('/auth/login', { ...fields, remember: '1' })).status, 303);
        keep('password', alice.password);
        keep('token', browser.jar.get('latchkey'));
        keep('device', browser.jar.get('latchkey-device'));
        keep('csrf value', await csrfOf(browser));
        for (const target of [page, '/auth/account', '/auth/account/sessions', '/auth/session', '/auth/login?a=%zz']) {
            await browser.fetch(target);
        }
        const second = await signedIn(other.port, bob);
        keep('token', second.jar.get('latchkey'));
        const link = new URL(/\S*\/account\/link\S*/.exec(at.install.do(['user', 'reset-link', 'bob']))[0], 'http://h');
        const wanted = 'seven purple elephants yawn';
        const visitor = new Browser(web.port);
        assert.equal((await visitor.submit(link.pathname + link.search, { new: wanted, again: wanted })).status, 303);
        keep('code', link.searchParams.get('code'));
        keep('password', wanted);
        keep('token', visitor.jar.get('latchkey'));
        const changed = { current: wanted, new: 'eight yellow giraffes sing', again: 'eight yellow giraffes sing' };
        assert.equal((await visitor.submit('/auth/account/password', changed)).status, 303);
        keep('password', changed.new);
        keep('token', visitor.jar.get('latchkey'));
        // As CGI, whose log is apart.
        const answer = runCgi(at.install, 'gate', { ...required, HTTP_COOKIE: visitor.cookie });
        assert.equal(answer.status, 204);
        return answer.log;
    }

    // The ways to write a text that would give it away.
    function spellings(text) {
        const forms = [text, encodeURIComponent(text), encodeURIComponent(text).replaceAll('%20', '+'),
            Buffer.from(text).toString('hex'), Buffer.from(text).toString('base64').replace(/=+$/, '')];
        if (/^[A-Za-z0-9_-]{43,}$/.test(text)) {
            // Tokens and codes: of a token the part behind its header, which is not secret.
            const bytes = Buffer.from(text, 'base64url').subarray(text.length > 43 ? 14 : 0, text.length > 43 ? 46 : 32);
            forms.push(bytes.toString('latin1'), bytes.toString('hex'), bytes.toString('base64').slice(0, 40));
        }
        return forms;
    }

    function assertNowhere(canaries, places) {
        for (const [place, content] of places) {
            for (const [what, text] of canaries) {
                for (const form of spellings(text)) assert.ok(!content.includes(form), `${what} stands in ${place}`);
            }
        }
    }

    it('stand nowhere else', async () => {
        const canaries = new Map();
        const cgiLog = await useEverything(canaries);
        for (const line of readFileSync(file(), 'utf8').trim().split('\n')) canaries.set('secret', line.slice(9));
        const processes = findAll(at.install).flatMap((pid) => ['cmdline', 'environ'].map((name) =>
            [`${name} of ${pid}`, readFileSync(`/proc/${pid}/${name}`, 'latin1')]));
        const files = [at.install.state, at.install.run].flatMap(walk)
            .filter((name) => lstatSync(name).isFile() && name !== file()).map((name) => [name, readFileSync(name, 'latin1')]);
        const lists = [['audit', '--json'], ['session', 'list', '--json'], ['user', 'list', '--json'], ['throttle', 'list', '--json']]
            .map((args) => [args.join(' '), at.install.do(args)]);
        const log = [['the log', at.install.log], ['the log of CGI', cgiLog]];
        assertNowhere(canaries, [...processes, ...files, ...lists, ...log]);
        // The control: what is not secret is found there.
        const has = (places, text) => places.some(([, content]) => content.includes(text));
        assert.match(at.install.log, /debug: /);
        assert.ok(has(log, 'signed in: alice') && has(files, '$argon2id$') && has(lists, alice.name) && has(processes, 'gate'));
        for (const form of [...canaries.values()].flatMap(spellings)) {
            assert.throws(() => assertNowhere(canaries, [['a leak', `<${form}>`]]), /stands in a leak/);
        }
    });

    it('are in private files, made with whatever umask', async () => {
        const backup = path.join(at.install.folder, 'backup.db');
        at.install.do(['backup', backup]);
        const found = [at.install.state, at.install.run, ...walk(at.install.state), ...walk(at.install.run), backup];
        assert.ok(found.length > 8, found.join());
        for (const name of found) {
            const { mode } = lstatSync(name);
            const kind = { 0o040000: 'folder', 0o140000: 'socket', 0o100000: 'file' }[mode & 0o170000];
            const open = mode & 0o7777 & ~{ folder: name === at.install.run ? 0o755 : 0o700, socket: 0o660, file: 0o600 }[kind];
            assert.equal(open, 0, `${name}: ${(mode & 0o7777).toString(8)}`);
        }
        at.install.do(['secret', 'rotate']);
        assert.equal(lstatSync(file()).mode & 0o7777, 0o600);
    });

    it('are not used from a file that others may read, or that is not sound', async () => {
        const { cookie } = await signedIn(at.webs[0].port);
        const good = `${file()}.good`;
        const passes = async (web) => (await get(web.port, page, cookie, 'application/json')).status === 200;
        const all = { ...wrongs };
        if (process.getuid() === 0) {
            all['of somebody else'] = (name) => {
                copyFileSync(good, name);
                chownSync(name, 65534, 65534);
            };
        }
        for (const [what, spoil] of Object.entries(all)) {
            renameSync(file(), good);
            const mark = at.install.log.length;
            spoil(file(), good);
            try {
                for (const web of at.webs) {
                    for (const target of [page, '/auth/login', '/auth/session', '/auth/account']) {
                        const { status, text } = await get(web.port, target, cookie);
                        assert.ok(status >= 500, `a file ${what}: ${target} answers ${status}`);
                        assert.ok(!text.includes(shown) && !text.includes(at.install.state), what);
                    }
                }
                await until('the log', () => logSince(mark).includes(file()));
                const told = at.install.try(['check']);
                assert.equal(told.status, 1, what);
                for (const line of readFileSync(good, 'utf8').trim().split('\n')) {
                    assert.ok(![logSince(mark), told.stdout, told.stderr].join().includes(line.slice(9)), what);
                }
            } finally {
                rmSync(file(), { recursive: true, force: true });
                renameSync(good, file());
            }
            for (const web of at.webs) await until(`the gate after a file ${what}`, () => passes(web), 3000);
        }
    });

    it('are not used from a folder that all may write', async () => {
        const { cookie } = await signedIn(at.webs[0].port);
        chmodSync(at.install.state, 0o777);
        try {
            for (const program of ['gate', 'login', 'account', 'logout']) {
                const { exit, body, status, log } = runCgi(at.install, program, { ...required, HTTP_COOKIE: cookie });
                assert.deepEqual([exit, body, status], [1, '', 0], program);
                assert.match(log, /all may write .*state, .*; run chmod o-w/);
            }
            for (const args of [['check'], ['secret', 'rotate']]) assert.equal(at.install.try(args).status, 1, args.join());
        } finally {
            chmodSync(at.install.state, 0o700);
        }
        assert.equal(runCgi(at.install, 'gate', { ...required, HTTP_COOKIE: cookie }).status, 204);
    });

    it('are gone from the database with their user', async () => {
        const database = path.join(at.install.state, 'latchkey.db');
        const user = { name: 'leaver', password: 'a long sentence of one who leaves' };
        at.install.addUser(user);
        await signedIn(at.webs[0].port, user);
        const read = (column) => spawnSync('sqlite3', [database, `SELECT ${column} FROM user WHERE name = 'leaver'`], { encoding: 'latin1' }).stdout.trim();
        const hash = read('hash').split('$').at(-1);
        const salt = Buffer.from(read('hex(salt)'), 'hex').toString('latin1');
        at.install.do(['user', 'remove', 'leaver']);
        await at.install.service.stop();
        const content = readFileSync(database, 'latin1');
        assert.ok(content.includes('$argon2id$'));
        for (const gone of [hash, salt]) assert.ok(gone.length > 10 && !content.includes(gone));
        await at.install.serve();
    });
}, { settings: { log: { level: 'debug' } } });
