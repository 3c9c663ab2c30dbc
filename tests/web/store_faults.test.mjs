// Databases and secret files that fail under running programs: nobody is signed in, nobody passes,
// the log says what to do, and once it is mended all goes on without a restart.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
    chmodSync, chownSync, closeSync, copyFileSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, rmdirSync,
    statSync, symlinkSync, truncateSync, unlinkSync, writeFileSync, writeSync,
} from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { Browser, formFields, request } from './support/http.mjs';
import { Install, alice, bob, isAlive, until } from './support/install.mjs';
import { countProcesses, findAll, findWorkers, killAll } from './support/processes.mjs';
import { nginx, secret, servers } from './support/servers.mjs';
import { isRoot, makeUnprivileged, serveUnprivileged } from './support/unprivileged.mjs';

const names = ['login', 'logout', 'account', 'gate'];
const workers = { login: 2, logout: 2, account: 1, gate: 2 };

// A browser that has the form of `page` open, ready to be sent later.
async function openForm(port, page, user) {
    const browser = new Browser(port);
    if (user !== undefined) assert.equal((await browser.signIn(user)).status, 303);
    const fields = formFields((await browser.fetch(page)).body);
    return { browser, send: (more) => browser.post(page, { ...fields, ...more }) };
}

function assertUnavailable(answer, what) {
    assert.equal(answer.status, 503, what);
    assert.match(answer.headers['retry-after'], /^[1-9]\d*$/, what);
    assert.deepEqual(answer.cookies, [], what);
    assert.ok(!answer.body.includes(secret), what);
}

// What a program logged before it answered may be read after the answer.
const logged = (install, from, pattern) => until(`${pattern} in the log`, () =>
    pattern.test(install.log.slice(from)), 2000);

describe('when the store fails', () => {
    let install;
    const webs = [];
    const file = (name) => path.join(install.state, name);

    before(async () => {
        install = makeUnprivileged({ workers }).init();
        await install.serve(serveUnprivileged(install));
        for (const server of servers) webs.push(await server.start(install));
    });
    after(async () => {
        for (const web of webs) await web.stop();
        assert.equal(await install?.close(), 0);
    });

    const sql = (text) => {
        const result = spawnSync('sqlite3', [file('latchkey.db'), text], { encoding: 'utf8' });
        assert.equal(result.status, 0, result.stderr);
        return result.stdout.trim();
    };

    // What crashes opens everything anew.
    const renewWorkers = async () => {
        const before = names.flatMap((name) => findWorkers(install, name));
        killAll(before);
        await until('new workers', () => names.every((name) => {
            const now = findWorkers(install, name);
            return now.length === countProcesses(name, workers[name]) && !now.some((pid) => before.includes(pid));
        }));
    };

    const keepCopy = () => {
        // Workers may be reading on for a moment after their last answer.
        assert.equal(sql('PRAGMA busy_timeout = 5000; PRAGMA wal_checkpoint(TRUNCATE)'), '5000\n0|0|0');
        copyFileSync(file('latchkey.db'), file('copy'));
        chmodSync(file('copy'), 0o600);
        const { uid, gid } = statSync(file('latchkey.db'));
        chownSync(file('copy'), uid, gid);
    };
    const restoreCopy = () => renameSync(file('copy'), file('latchkey.db'));

    const overwrite = (name, from) => {
        const length = statSync(file(name)).size - from;
        const descriptor = openSync(file(name), 'r+');
        writeSync(descriptor, Buffer.alloc(length, 0xa5), 0, length, from);
        closeSync(descriptor);
    };

    const moveAway = (name) => renameSync(file(name), file(`${name}.away`));
    const moveBack = (name) => renameSync(file(`${name}.away`), file(name));

    const lock = async () => {
        const holder = spawn('sqlite3', [file('latchkey.db')], { stdio: ['pipe', 'pipe', 'inherit'] });
        holder.stdin.write('BEGIN EXCLUSIVE;\nSELECT \'locked\';\n');
        await new Promise((resolve) => { holder.stdout.once('data', resolve); });
        return holder;
    };
    let holder;

    // With `reads`, what only reads goes on.
    for (const { what, reads = false, spoil, mend, complaint } of [
        {
            what: 'the database is moved away', complaint: /latchkey\.db: the database is missing; restore a backup, or make a new one with `latchkey init`/,
            spoil: () => moveAway('latchkey.db'), mend: () => moveBack('latchkey.db'),
        },
        {
            what: 'the state directory is moved away', complaint: /secret file .* is missing; make it with `latchkey init`/,
            spoil: () => renameSync(install.state, `${install.state}.away`),
            mend: () => renameSync(`${install.state}.away`, install.state),
        },
        {
            what: 'another program keeps the database locked', reads: true,
            complaint: /latchkey\.db: .*another program keeps it locked; this passes when that one is done/,
            spoil: async () => { holder = await lock(); },
            mend: () => new Promise((resolve) => { holder.on('close', resolve).stdin.end(); }),
        },
        {
            what: 'a folder has the place of the database', complaint: /latchkey\.db: not a regular file; correct database\.url/,
            spoil: () => { moveAway('latchkey.db'); mkdirSync(file('latchkey.db')); },
            mend: () => { rmdirSync(file('latchkey.db')); moveBack('latchkey.db'); },
        },
        {
            what: 'a database of another program has the place of ours', complaint: /latchkey\.db: a database of another program/,
            spoil: () => {
                moveAway('latchkey.db');
                sql('CREATE TABLE t (x); INSERT INTO t VALUES (1)');
                chmodSync(file('latchkey.db'), 0o666);
            },
            mend: () => moveBack('latchkey.db'),
        },
        {
            what: 'the database may not be written', complaint: /latchkey\.db: .*let the user who runs this program write the file and its folder \(chown, chmod u\+w\)/,
            spoil: async () => {
                chmodSync(file('latchkey.db'), 0o400);
                await renewWorkers();
            },
            mend: () => chmodSync(file('latchkey.db'), 0o600),
        },
        {
            what: 'the database may not be read', complaint: /latchkey\.db: .*let the user who runs this program read and write the file and its folder/,
            spoil: async () => {
                chmodSync(file('latchkey.db'), 0);
                await renewWorkers();
            },
            mend: () => chmodSync(file('latchkey.db'), 0o600),
        },
        {
            what: 'pages of the database are damaged', complaint: /latchkey\.db: .*restore a backup/,
            spoil: async () => {
                keepCopy();
                overwrite('latchkey.db', 4096);
                await renewWorkers();
            },
            mend: restoreCopy,
        },
        {
            what: 'the database is overwritten', complaint: /latchkey\.db: .*restore a backup, or move the file away and run `latchkey init`/,
            spoil: async () => {
                keepCopy();
                overwrite('latchkey.db', 0);
                await renewWorkers();
            },
            mend: restoreCopy,
        },
        {
            what: 'the database is cut', complaint: /latchkey\.db: .*restore a backup/,
            spoil: async () => {
                keepCopy();
                truncateSync(file('latchkey.db'), 5000);
                await renewWorkers();
            },
            mend: restoreCopy,
        },
        {
            what: 'the database is emptied', complaint: /latchkey\.db: the database is empty; restore a backup, or run `latchkey init`/,
            spoil: async () => {
                keepCopy();
                truncateSync(file('latchkey.db'), 0);
                await renewWorkers();
            },
            mend: restoreCopy,
        },
        {
            what: 'the secret is moved away', complaint: /secret file .*state\/secret is missing/,
            spoil: () => moveAway('secret'), mend: () => moveBack('secret'),
        },
        {
            what: 'the secret is open to others', complaint: /state\/secret has mode 0644.*chmod 600/,
            spoil: () => chmodSync(file('secret'), 0o644), mend: () => chmodSync(file('secret'), 0o600),
        },
        {
            what: 'the secret is a link', complaint: /state\/secret is a symbolic link/,
            spoil: () => { moveAway('secret'); symlinkSync('secret.away', file('secret')); },
            mend: () => { unlinkSync(file('secret')); moveBack('secret'); },
        },
        {
            what: 'the secret is cut', complaint: /state\/secret is empty or cut/,
            spoil: () => {
                copyFileSync(file('secret'), file('secret.away'));
                truncateSync(file('secret'), 30);
            },
            mend: () => { writeFileSync(file('secret'), readFileSync(file('secret.away'))); unlinkSync(file('secret.away')); },
        },
    ]) {
        it(`because ${what}, nobody is signed in, and all goes on when that is over`, async () => {
            const ready = await Promise.all(webs.map(async (web) => ({
                web,
                live: await openForm(web.port, '/auth/logout', alice),
                leaving: await openForm(web.port, '/auth/logout', bob),
                entering: await openForm(web.port, '/auth/login'),
            })));
            const count = sql('SELECT count(*) FROM session');
            const before = install.log.length;
            await spoil();
            try {
                await Promise.all(ready.map(async ({ web, live, leaving, entering }) => {
                    const page = await live.browser.fetch('/private/page.html');
                    if (reads) {
                        assert.equal(page.status, 200);
                        assert.equal((await live.browser.fetch('/auth/account')).status, 200);
                    } else {
                        assert.equal(page.status, web.name === 'nginx' ? 500 : 503);
                        assert.ok(!page.body.includes(secret));
                        assertUnavailable(await live.browser.fetch('/auth/account'), 'account');
                        assertUnavailable(await live.browser.fetch('/auth/session'), 'session');
                    }
                    const anonymous = await request(web.port, '/private/page.html');
                    assert.ok([303, 500, 503].includes(anonymous.status));
                    assert.ok(!anonymous.body.includes(secret));
                    const [signedIn, signedOut] = await Promise.all([
                        entering.send({ username: alice.name, password: alice.password }), leaving.send({})]);
                    assertUnavailable(signedIn, 'sign-in');
                    assertUnavailable(signedOut, 'sign-out');
                }));
                await logged(install, before, complaint);
            } finally {
                await mend();
            }
            for (const { web, live, leaving, entering } of ready) {
                for (let i = 0; i < 6; i++) {
                    assert.equal((await live.browser.fetch('/private/page.html')).status, 200);
                }
                assert.equal((await leaving.browser.fetch('/private/page.html')).status, 200);
                assert.equal((await entering.browser.fetch('/private/page.html')).status, 303);
            }
            assert.equal(sql('SELECT count(*) FROM session'), count);
            for (const { leaving, entering } of ready) {
                assert.equal((await entering.send({ username: alice.name, password: alice.password })).status, 303);
                assert.equal((await entering.browser.fetch('/private/page.html')).status, 200);
                const copied = leaving.browser.cookie;
                assert.equal((await leaving.send({})).status, 303);
                assert.equal((await leaving.browser.fetch('/auth/session', { headers: { cookie: copied } })).status, 401);
            }
            assert.equal(sql('PRAGMA integrity_check'), 'ok');
        });
    }
});

describe('when the disk is full', { skip: !isRoot && 'needs root, to mount a small disk' }, () => {
    let install;
    let web;
    let skip;

    before(async () => {
        install = makeUnprivileged({ workers });
        mkdirSync(install.state, { mode: 0o700 });
        const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=700', 'latchkey-test', install.state]);
        if (mounted.status !== 0) {
            skip = 'nothing can be mounted here';
            return;
        }
        install.init();
        await install.serve(serveUnprivileged(install));
        web = await nginx.start(install);
    });
    after(async () => {
        await web?.stop();
        await install?.service?.stop();
        spawnSync('umount', [install.state]);
        assert.equal(await install?.close(), skip ? undefined : 0);
    });

    it('nobody is signed in or told to be signed out, who is signed in passes, and room mends it', async (t) => {
        if (skip) {
            t.skip(skip);
            return;
        }
        const live = await openForm(web.port, '/auth/logout', alice);
        const entering = await openForm(web.port, '/auth/login');
        // The log may have room inside; after a checkpoint it is written from its beginning.
        const filler = path.join(install.state, 'filler');
        const descriptor = openSync(filler, 'w');
        assert.throws(() => {
            for (;;) writeSync(descriptor, Buffer.alloc(4096));
        }, { code: 'ENOSPC' });
        closeSync(descriptor);
        let refused;
        for (let i = 0; i < 300 && refused === undefined; i++) {
            const answer = await entering.send({ username: alice.name, password: alice.password });
            if (answer.status === 503) refused = answer;
            else assert.equal(answer.status, 303);
        }
        assertUnavailable(refused, 'sign-in');
        await logged(install, 0, /latchkey\.db: .*make room on the disk/);
        assert.equal((await live.browser.fetch('/private/page.html')).status, 200);
        const signedOut = await live.send({});
        if (signedOut.status === 503) {
            assertUnavailable(signedOut, 'sign-out');
            assert.equal((await live.browser.fetch('/private/page.html')).status, 200);
        }
        rmSync(filler);
        const browser = new Browser(web.port);
        assert.equal((await browser.signIn(bob)).status, 303);
        assert.equal((await browser.fetch('/private/page.html')).status, 200);
        assert.equal((await browser.signOut()).status, 303);
    });
});

describe('when everything is killed', () => {
    let install;
    beforeEach(() => { install = new Install({ workers }).init(); });
    afterEach(() => install.close());

    it('a sign-out that was answered stays, and other sessions live', async () => {
        await install.serve();
        const web = await nginx.start(install);
        for (let round = 0; round < 4; round++) {
            const staying = new Browser(web.port);
            await staying.signIn(bob);
            const forms = await Promise.all(Array.from({ length: 8 }, async () => {
                const form = await openForm(web.port, '/auth/logout', alice);
                return { ...form, copied: form.browser.cookie, answered: false };
            }));
            // Killed as soon as some are answered, in the middle of the others.
            const sent = forms.map(async (form) => {
                const answer = await form.send({}).catch(() => ({ status: 0 }));
                form.answered = answer.status === 303;
            });
            await (round % 2 === 0 ? Promise.any(sent) : Promise.all(sent));
            const all = findAll(install);
            killAll(all);
            await Promise.all(sent);
            await until('the end', () => !all.some(isAlive));
            const answered = forms.filter((form) => form.answered);
            assert.ok(answered.length > 0);
            await install.serve();
            await until('the gate', async () => (await staying.fetch('/private/page.html')).status === 200);
            for (const { copied } of answered) {
                const replayed = await request(web.port, '/private/page.html', { headers: { cookie: copied } });
                assert.equal(replayed.status, 303);
            }
        }
        await web.stop();
        assert.equal(await install.service.stop(), 0);
    });
});
