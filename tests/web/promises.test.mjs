// What README and latchkey.conf(5) promise of the three stores: their tables say what the table here
// says, and each cell of it is shown to be true, here or by a test elsewhere that is named.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Clock } from './support/clock.mjs';
import { required, runCgi } from './support/direct.mjs';
import { forgePlain, forgeSealed, kinds, readSecret } from './support/forge.mjs';
import { signedIn } from './support/forms.mjs';
import { encodeForm, formFields } from './support/http.mjs';
import { Install, bob, plainLatchkey, root, until } from './support/install.mjs';
import { get, pages, replayEverywhere, warm } from './support/replay.mjs';
import { servers } from './support/servers.mjs';
import { settingsFor, stores } from './support/stores.mjs';

const hour = 3600;

const page = '/private/page.html';
const ask = async (at, cookie, target = page) => (await get(at.webs[0].port, target, cookie)).status;
const passes = async (at, cookie) => (await ask(at, cookie)) === 200;

// ---- the files of an installation ----

const database = (at) => path.join(at.install.state, 'latchkey.db');
const cache = (at) => path.join(at.install.run, 'cache.db');

function sql(file, text) {
    const result = spawnSync('sqlite3', ['-cmd', '.timeout 5000', file, text], { encoding: 'utf8' });
    assert.equal(result.status, 0, result.stderr);
    return result.stdout.trim();
}

// How many rows of sessions the file has, as text.
const count = (file) => (existsSync(file) ? sql(file, 'SELECT count(*) FROM session') : '0');

// Stops the programs, calls `task`, and starts them again.
async function restart(at, task) {
    await at.install.service.stop();
    task();
    await at.install.serve(at.options);
}

// The session's token among all that a browser sends, as text and as bytes.
const tokenIn = (cookie) => /(?:^|; )latchkey=([^;]*)/.exec(cookie)[1];
const bytesOf = (token) => Buffer.from(token, 'base64url');

// ---- what somebody can make who has the secret ----

function readUser(at, name) {
    const [id, salt] = sql(database(at), `SELECT id, hex(salt) FROM user WHERE name = '${name}'`).split('|');
    return { id: Number(id), salt: Buffer.from(salt, 'hex') };
}

// What can be made of the secret and of all that the files show of alice and her session: tokens of
// rows, sealed ones with a salt that is guessed, and sealed ones with hers.
function forgeAll(at) {
    const now = Math.floor(Date.now() / 1000);
    const secret = readSecret(at);
    const alice = readUser(at, 'alice');
    const keys = [database(at), cache(at)].filter(existsSync)
        .flatMap((file) => sql(file, "SELECT printf('%016X', id) || hex(rest) FROM session").split('\n').filter(Boolean))
        .map((key) => Buffer.from(key, 'hex'));
    const ids = [...keys, randomBytes(32)];
    return {
        plain: ids.flatMap((id) => ['database', 'cache'].map((store) => forgePlain(secret, kinds[store], id, now))),
        unsalted: ids.map((id) => forgeSealed(secret, id, { ...alice, salt: randomBytes(32) }, now)),
        sealed: ids.map((id) => forgeSealed(secret, id, alice, now)),
    };
}

// ---- data, by examples/cart.c as a CGI program ----

function cart(at, cookie, more = {}, input = '') {
    return runCgi(at.install, '../../examples/cart',
        { ...required, ...at.clock.env, REQUEST_URI: '/cart', HTTP_COOKIE: cookie, ...more }, { input });
}

// Puts an article into the cart; gives the answer, with the cookie to go on with.
function put(at, cookie, article, remark) {
    const { csrf } = formFields(cart(at, cookie).body);
    const input = encodeForm({ csrf, action: 'add', article, remark });
    const answer = cart(at, cookie, {
        REQUEST_METHOD: 'POST', CONTENT_TYPE: 'application/x-www-form-urlencoded',
        CONTENT_LENGTH: String(input.length),
    }, input);
    return { ...answer, cookie: answer.headers['set-cookie']?.split(';')[0] ?? cookie };
}

// ---- the tests ----

const isRow = (file, other) => async (at) => {
    const { cookie } = await signedIn(at.webs[0].port);
    assert.equal(count(file(at)), '1');
    assert.equal(count(other(at)), '0');
    assert.ok(await passes(at, cookie));
    await restart(at, () => sql(file(at), 'DELETE FROM session'));
    assert.ok(!await passes(at, cookie));
};

async function isSealed(at) {
    const { cookie } = await signedIn(at.webs[0].port);
    assert.equal(count(database(at)), '1');
    assert.equal(count(cache(at)), '0');
    await restart(at, () => sql(database(at), 'DELETE FROM session'));
    assert.ok(await passes(at, cookie));
    assert.deepEqual(JSON.parse(at.install.do(['session', 'list', '--json'])), []);
}

const reboots = (stays) => async (at) => {
    const { cookie } = await signedIn(at.webs[0].port);
    const gone = await signedIn(at.webs[0].port, bob);
    const copied = gone.cookie;
    assert.equal((await gone.signOut()).status, 303);
    await restart(at, () => rmSync(at.install.run, { recursive: true }));
    for (let i = 0; i < 8; i++) {
        assert.equal(await passes(at, cookie), stays);
        assert.ok(!await passes(at, copied));
    }
    assert.ok(await passes(at, (await signedIn(at.webs[0].port)).cookie));
    // The same when it is lost while they run.
    const { cookie: later } = await signedIn(at.webs[0].port);
    rmSync(at.install.run, { recursive: true });
    assert.ok(!await passes(at, later));
    await restart(at, () => {});
    await until('the web server to try again', async () => (await ask(at, copied)) === 303);
    assert.equal(await passes(at, later), stays);
    assert.ok(!await passes(at, copied));
};

// A backup is as good as the file.
const showsWhenStolen = (shown) => async (at) => {
    const browser = await signedIn(at.webs[0].port);
    const saved = put(at, browser.cookie, 'bread', 'the remark of this cart');
    assert.equal(saved.status, 303);
    const stolen = path.join(at.install.folder, 'stolen.db');
    at.install.do(['backup', stolen]);
    const bytes = readFileSync(stolen, 'latin1');
    assert.ok(bytes.includes('alice') && bytes.includes('$argon2id$'));
    assert.ok(bytes.includes('sign-in'), 'the audit log');
    assert.equal(count(stolen) !== '0', shown.includes('sign-ins'));
    assert.equal(bytes.includes('the remark of this cart'), shown.includes('data'));
    const token = bytesOf(tokenIn(saved.cookie));
    assert.ok(!bytes.includes(token.toString('latin1', 14, 46)), 'the id of a token');
    assert.ok(!bytes.includes(token.toString('latin1', 30, 62)), 'what is sealed');
    // Nobody gets in with it: who runs it with another secret makes tokens that are good there alone.
    const thief = new Install(settingsFor(at.store));
    try {
        thief.do(['init']);
        rmSync(path.join(thief.state, 'latchkey.db'));
        renameSync(stolen, path.join(thief.state, 'latchkey.db'));
        for (const name of ['-wal', '-shm']) rmSync(path.join(thief.state, `latchkey.db${name}`), { force: true });
        thief.do(['user', 'passwd', 'alice', '--password-stdin'], 'a password of the thief\n');
        await thief.serve();
        const web = await servers[0].start(thief);
        try {
            const made = await signedIn(web.port, { name: 'alice', password: 'a password of the thief' });
            assert.equal((await get(web.port, page, made.cookie)).status, 200);
            assert.ok(!await passes(at, made.cookie));
        } finally {
            await web.stop();
        }
    } finally {
        await thief.close();
    }
    assert.ok(await passes(at, saved.cookie));
};

const opensWhenSecretStolen = (opens) => async (at) => {
    const { cookie } = await signedIn(at.webs[0].port);
    const { plain, unsalted, sealed } = forgeAll(at);
    // The control: with the id, which no file has, it is the very token.
    const own = bytesOf(tokenIn(cookie));
    if (at.store !== 'cookie') {
        const again = forgePlain(readSecret(at), kinds[at.store], own.subarray(14, 46), own.readBigInt64BE(6));
        assert.equal(again, `latchkey=${tokenIn(cookie)}`);
    }
    for (const one of [...plain, ...unsalted]) assert.ok(!await passes(at, one));
    for (const one of sealed) assert.equal(await passes(at, one), opens);
    // Either of two commands ends it all.
    at.install.do(['secret', 'revoke']);
    for (const one of [...sealed, cookie]) assert.ok(!await passes(at, one));
    const later = forgeAll(at).sealed;
    at.install.do(['session', 'revoke-all']);
    for (const one of later) assert.ok(!await passes(at, one));
};

// Two browsers with one cookie; one of them goes on, the other only asks as programs do.
const livesOn = (isOf) => async (at) => {
    const browser = await signedIn(at.webs[0].port);
    const copied = browser.cookie;
    const api = async (cookie) => (await browser.fetch('/auth/session', { headers: { cookie } })).status === 200;
    for (let i = 0; i < 3; i++) {
        at.clock.pass(1.2 * hour);
        const answer = await browser.fetch(page);
        if (answer.status === 303) await browser.fetch(answer.headers.location);
        assert.equal((await browser.fetch(page)).status, 200);
        assert.equal(await api(copied), isOf === 'session' || i < 1);
    }
    const last = browser.cookie;
    assert.equal((await browser.signOut()).status, 303);
    for (const cookie of [copied, last]) assert.ok(!await api(cookie));
};

// With the database away: a session that all workers of the gate know, and one that none of them saw.
const goesOn = (others) => async (at) => {
    const known = (await signedIn(at.webs[0].port)).cookie;
    const unseen = (await signedIn(at.webs[0].port)).cookie;
    const stranger = (await signedIn(at.webs[0].port, bob)).cookie;
    await warm(at, known);
    renameSync(database(at), `${database(at)}.away`);
    try {
        assert.deepEqual(await replayEverywhere(at, known, 24, pages.slice(0, 1)), [true]);
        assert.equal(await passes(at, unseen), others);
        assert.equal(await ask(at, stranger), 503);
        assert.equal(await ask(at, known, '/auth/session'), 503);
    } finally {
        renameSync(`${database(at)}.away`, database(at));
    }
    for (const cookie of [known, unseen, stranger]) assert.ok(await passes(at, cookie));
};

const limit = 2000;

const holds = (isOfRows) => async (at) => {
    const { cookie } = await signedIn(at.webs[0].port);
    const remark = 'x'.repeat(5000);
    const refused = put(at, cookie, 'bread', remark);
    assert.equal(refused.status, 413);
    const excess = Number(/this would be (\d+) bytes more than/.exec(refused.body)[1]);
    const room = 'cart.bread'.length + remark.length - excess;
    if (isOfRows) assert.equal(room, limit);
    else assert.ok(room >= 2750 && room < 2900, String(room));
    assert.equal(put(at, cookie, 'bread', remark.slice(excess)).status, 303);
};

// Both programs have read the same before they write.
const keeps = (all) => async (at) => {
    const { cookie } = await signedIn(at.webs[0].port);
    const both = [put(at, cookie, 'bread', 'first'), put(at, cookie, 'milk', 'second')];
    for (const { status } of both) assert.equal(status, 303);
    const { body } = cart(at, both[1].cookie);
    assert.equal(body.includes('bread: first'), all);
    assert.ok(body.includes('milk: second'));
};

// What tells that something was written, of either file.
const written = (...files) => JSON.stringify(files.flatMap((file) => [file, `${file}-wal`])
    .map((file) => (existsSync(file) ? [statSync(file).mtimeMs, statSync(file).size] : [])));

async function use(at, browser, times = 100) {
    for (let i = 0; i < times; i++) assert.equal((await browser.fetch(page)).status, 200);
}

const seen = (file) => Number(sql(file, 'SELECT seen_s FROM session'));

const writesUse = (file, others) => async (at) => {
    const browser = await signedIn(at.webs[0].port);
    const begin = seen(file(at));
    await use(at, browser);
    const first = written(file(at), ...others(at));
    await use(at, browser);
    assert.equal(written(file(at), ...others(at)), first);
    const rest = written(...others(at));
    at.clock.pass(61);
    await use(at, browser, 10);
    await until('the use to be noted', () => seen(file(at)) >= begin + 61);
    const second = written(file(at));
    await use(at, browser);
    assert.equal(written(file(at)), second);
    assert.equal(written(...others(at)), rest);
};

async function writesRenewals(at) {
    const browser = await signedIn(at.webs[0].port);
    const begin = seen(database(at));
    const first = written(database(at));
    for (let i = 0; i < 5; i++) {
        await use(at, browser, 40);
        at.clock.pass(hour / 6);
    }
    assert.equal(written(database(at)), first);
    at.clock.pass(hour / 6);
    const sent = await browser.fetch(page);
    assert.equal(sent.status, 303);
    const renewed = await browser.fetch(sent.headers.location);
    assert.deepEqual([renewed.status, renewed.headers.location], [303, page]);
    assert.deepEqual(renewed.cookies.map((line) => line.split('=')[0]), ['latchkey', 'latchkey-hops']);
    assert.ok(seen(database(at)) >= begin + hour);
    const second = written(database(at));
    await use(at, browser);
    assert.equal(written(database(at)), second);
}

// ---- the table ----

const elsewhere = (file, ...names) => ({ file, names });
const revoked = (...names) =>
    elsewhere('revocation.test.mjs', 'is dead after', ...names.map((name) => `name: '${name}'`));

const sameForAll = (promise, says, shown) => ({
    promise, database: [says, shown], cache: [says, shown], cookie: [says, shown],
});

const promises = [
    {
        promise: 'A session is',
        database: ['a row on disk', isRow(database, cache)],
        cache: ['a row in memory', isRow(cache, database)],
        cookie: ['sealed in the cookie; a row records the sign-in', isSealed],
    },
    sameForAll('Sign-out', 'ends every copy at once', revoked('a sign-out')),
    sameForAll('New password, lock, "sign out everywhere"', 'ends all of the user\'s sessions at once',
        revoked('a new password', 'a lock', 'sign out everywhere')),
    sameForAll('Restart of the programs', 'all stay signed in',
        elsewhere('revocation.test.mjs', 'stays dead when everything is killed as soon as its end was answered')),
    {
        promise: 'Reboot, or loss of the run directory',
        database: ['all stay signed in', reboots(true)],
        cache: ['all sign in again', reboots(false)],
        cookie: ['all stay signed in', reboots(true)],
    },
    {
        promise: 'Database file stolen',
        database: ['shows hashes, sign-ins, audit log, session data; lets nobody in', showsWhenStolen(['sign-ins', 'data'])],
        cache: ['shows hashes and audit log; lets nobody in', showsWhenStolen([])],
        cookie: ['shows hashes, sign-ins and audit log; lets nobody in', showsWhenStolen(['sign-ins'])],
    },
    {
        promise: 'Secret stolen',
        database: ['lets nobody in, not even with the database', opensWhenSecretStolen(false)],
        cache: ['lets nobody in, not even with the database', opensWhenSecretStolen(false)],
        cookie: ['with the database, lets the thief in as anybody', opensWhenSecretStolen(true)],
    },
    {
        promise: 'Cookie copied',
        database: ['good until the session ends', livesOn('session')],
        cache: ['good until the session ends', livesOn('session')],
        cookie: ['good until the session ends; if not renewed, for the idle time', livesOn('token')],
    },
    {
        promise: 'Database unreadable',
        database: ['the gate passes sessions that it has seen', goesOn(false)],
        cache: ['the gate passes sessions of users that it has seen', goesOn(true)],
        cookie: ['the gate passes sessions of users that it has seen', goesOn(true)],
    },
    {
        promise: 'Session data',
        database: ['up to session.data_limit', holds(true)],
        cache: ['up to session.data_limit', holds(true)],
        cookie: ['some 2800 bytes', holds(false)],
    },
    {
        promise: 'Two programs save at once',
        database: ['what each changed is kept', keeps(true)],
        cache: ['what each changed is kept', keeps(true)],
        cookie: ['the last answer wins', keeps(false)],
    },
    {
        promise: 'Writes when a session is used',
        database: ['last use, once a minute, after the answer', writesUse(database, () => [])],
        cache: ['the same, in memory', writesUse(cache, (at) => [database(at)])],
        cookie: ['none; its row when it is renewed', writesRenewals],
    },
];

// The row that says when to use which store is advice, and no promise.
const advice = 'Choose it';
const columns = ['database', 'cache', 'cookie'];
const expected = [['', ...columns], ...promises.map((row) => [row.promise, ...columns.map((name) => row[name][0])])];

const read = (name) => readFileSync(path.join(root, name), 'utf8');

// The rows of README's table, without the advice.
function readReadme() {
    const table = /^\| +\| `database` .*\n(?:\|.*\n)+/m.exec(read('README.md'))[0];
    return table.replaceAll('`', '').trim().split('\n')
        .map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()))
        .filter(([first]) => !/^:?-+$/.test(first));
}

// Those of the manual's.
function readManual() {
    const [, table] = /^\.TS\n(?:.*\n)*?.*\.\n((?:.*\n)+?)\.TE$/m.exec(read('man/latchkey.conf.5'));
    return table.replace(/T\{\n([^]*?)\nT\}/g, (_, cell) => cell.replaceAll('\n', ' ')).trim().split('\n')
        .map((line) => line.replaceAll('\\&', '').split('\t').map((cell) => cell.trim()));
}

describe('the table of the stores', () => {
    it('is the same in README, in the manual and in this test', () => {
        const readme = readReadme();
        assert.deepEqual(readManual(), readme);
        const isAdvice = ([first]) => first === advice;
        assert.equal(readme.filter(isAdvice).length, 1);
        assert.deepEqual(readme.filter((row) => !isAdvice(row)), expected);
    });

    it('has a test for each cell', () => {
        for (const row of promises) {
            for (const name of columns) {
                const [says, shown] = row[name];
                assert.ok(says.length > 0 && says.length <= 65, says);
                if (typeof shown === 'function') continue;
                const tests = read(path.join('tests/web', shown.file));
                for (const text of [...shown.names, 'forEachStore(']) {
                    assert.ok(tests.includes(text), `${shown.file}: ${text}`);
                }
            }
        }
    });
});

const settings = (store) => settingsFor(store, {
    workers: { login: 1, logout: 1, account: 1, gate: 1 }, session: { data_limit: limit },
});

// An installation of its own for the tests of a suite.
function install(store) {
    const at = { store, webs: [] };
    before(async () => {
        at.install = new Install(settings(store)).init();
        at.clock = new Clock(at.install);
        at.options = { command: plainLatchkey, env: at.clock.env };
        await at.install.serve(at.options);
        at.webs = [await servers[0].start(at.install)];
    });
    after(async () => {
        for (const web of at.webs) await web.stop();
        assert.equal(await at.install?.close(), 0);
    });
    return at;
}

describe('a promise', { concurrency: true }, () => {
    for (const store of stores) {
        describe(`of the ${store} store`, { concurrency: 1 }, () => {
            for (const row of promises.filter((one) => typeof one[store][1] === 'function')) {
                describe(row.promise, () => {
                    const at = install(store);
                    it(row[store][0], () => row[store][1](at));
                });
            }
        });
    }
});

const kindOf = (cookie) => bytesOf(tokenIn(cookie)).toString('latin1', 1, 2);

describe('to change the store', { concurrency: true }, () => {
    for (const from of stores) {
        describe(`from ${from}`, { concurrency: 1 }, () => {
            for (const to of stores.filter((name) => name !== from)) {
                const at = install(from);
                it(`to ${to} signs nobody out, and sessions move when they are renewed`, async () => {
                    const browser = await signedIn(at.webs[0].port);
                    const saved = put(at, browser.cookie, 'bread', 'white');
                    assert.equal(saved.status, 303, saved.log);
                    browser.jar.set('latchkey', tokenIn(saved.cookie));
                    await restart(at, () => at.install.configure(settings(to)));
                    assert.equal((await browser.fetch('/auth/session')).status, 200);
                    assert.ok(cart(at, browser.cookie).body.includes('bread: white'));
                    const former = browser.cookie;
                    assert.equal(kindOf(former), kinds[from]);
                    assert.equal((await browser.fetch(page)).status, 200);
                    assert.equal(browser.cookie, former);
                    at.clock.pass(1.1 * hour);
                    const sent = await browser.fetch(page);
                    assert.equal(sent.status, 303);
                    assert.equal((await browser.fetch(sent.headers.location)).headers.location, page);
                    assert.equal((await browser.fetch(page)).status, 200);
                    assert.equal(kindOf(browser.cookie), kinds[to]);
                    assert.ok(cart(at, browser.cookie).body.includes('bread: white'));
                    const last = browser.cookie;
                    assert.equal((await browser.signOut()).status, 303);
                    for (const cookie of [former, last]) assert.ok(!await passes(at, cookie));
                });
            }
        });
    }
});
