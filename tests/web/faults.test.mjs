// What breaks under running programs: nobody passes meanwhile, the log says what to do, and all is
// as before once it is mended, without a restart.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
    chmodSync, closeSync, existsSync, ftruncateSync, mkdirSync, openSync,
    renameSync, rmSync, rmdirSync, unlinkSync, writeSync,
} from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Install, Service, alice, until } from './support/install.mjs';
import { Browser, request } from './support/http.mjs';
import { secret, servers } from './support/servers.mjs';

// What the gate's 503 becomes on its way: nginx knows only yes, no and broken.
const refusal = { lighttpd: 503, nginx: 500 };

for (const server of servers) {
    describe(`a fault behind ${server.name}`, () => {
        let install;
        let web;
        let browser;
        let database;

        before(async () => {
            install = await new Install({ workers: { gate: 2 } }).init().serve();
            web = await server.start(install);
            browser = new Browser(web.port);
            assert.equal((await browser.signIn(alice)).status, 303);
            database = path.join(install.state, 'latchkey.db');
        });
        after(async () => {
            await web?.stop();
            await install?.close();
        });

        // Nobody is signed in or let pass, and the pages say that they cannot now.
        async function assertClosed() {
            const page = await browser.fetch('/private/page.html');
            assert.equal(page.status, refusal[server.name]);
            assert.ok(!page.body.includes(secret));
            const account = await browser.fetch('/auth/account');
            assert.equal(account.status, 503);
            assert.ok(Number(account.headers['retry-after']) > 0);
            const who = await browser.fetch('/auth/session');
            assert.equal(who.status, 503);
        }

        async function assertOpen() {
            // lighttpd leaves a socket that refused it alone for a second.
            const page = await until('the site to be open', async () => {
                const answer = await browser.fetch('/private/page.html');
                return answer.status < 500 && answer;
            }, 5000);
            assert.equal(page.status, 200, install.log);
            assert.ok(page.body.includes(secret));
            const other = new Browser(web.port);
            assert.equal((await other.signIn(alice)).status, 303);
        }

        it('a database that is gone and comes back', async () => {
            for (const end of ['', '-wal', '-shm']) {
                if (existsSync(database + end)) renameSync(database + end, `${database}.away${end}`);
            }
            await assertClosed();
            assert.match(install.log, /latchkey init/);
            assert.ok(!existsSync(database), 'a program made an empty database');
            for (const end of ['', '-wal', '-shm']) {
                if (existsSync(`${database}.away${end}`)) renameSync(`${database}.away${end}`, database + end);
            }
            await assertOpen();
        });

        it('a folder where the database was', async () => {
            for (const end of ['', '-wal', '-shm']) {
                if (existsSync(database + end)) renameSync(database + end, `${database}.away${end}`);
            }
            mkdirSync(database);
            await assertClosed();
            rmdirSync(database);
            for (const end of ['', '-wal', '-shm']) {
                if (existsSync(`${database}.away${end}`)) renameSync(`${database}.away${end}`, database + end);
            }
            await assertOpen();
        });

        it('a database that another program holds locked', async () => {
            const holder = new Service('sqlite3', [database], { stdio: ['pipe', 'pipe', 'pipe'] });
            holder.child.stdin.write('PRAGMA busy_timeout=5000;\nBEGIN IMMEDIATE;\nSELECT 1;\n');
            await until('the lock', () => holder.output.includes('1'));
            // Readers go on; whoever must write cannot, and says so.
            assert.equal((await browser.fetch('/private/page.html')).status, 200);
            const other = new Browser(web.port);
            assert.equal((await other.signIn(alice)).status, 503);
            assert.equal((await other.fetch('/auth/session')).status, 401);
            holder.child.stdin.end('ROLLBACK;\n');
            await holder.ended;
            await assertOpen();
        });

        it('a secret that others can read, and one that is gone', async () => {
            const file = path.join(install.state, 'secret');
            chmodSync(file, 0o644);
            await assertClosed();
            assert.match(install.log, /chmod/);
            chmodSync(file, 0o600);
            await assertOpen();
            renameSync(file, `${file}.away`);
            await assertClosed();
            renameSync(`${file}.away`, file);
            await assertOpen();
        });

        it('a gate that is killed, again and again', async () => {
            for (let i = 0; i < 3; i++) {
                spawnSync('pkill', ['-KILL', '-P', String(install.service.pid), '-x', 'gate']);
                await until('the gate to be back', async () =>
                    (await browser.fetch('/private/page.html').catch(() => ({}))).status === 200);
            }
            const page = await request(web.port, '/private/page.html');
            assert.equal(page.status, 303);
        });

        it('a sign-out that was answered stays, whatever is killed', async () => {
            const guest = new Browser(web.port);
            await guest.signIn(alice);
            const copied = guest.cookie;
            assert.equal((await guest.signOut()).status, 303);
            await install.service.stop('SIGKILL');
            // Its programs end with it, and then nobody answers for the gate.
            await until('the programs to end', async () =>
                (await browser.fetch('/private/page.html')).status >= 500);
            await install.serve();
            await assertOpen();
            for (let i = 0; i < 20; i++) {
                const answer = await request(web.port, '/private/page.html', { headers: { cookie: copied } });
                assert.equal(answer.status, 303);
            }
        });

        // Last, for what was written since the backup is lost on purpose.
        for (const [what, damage] of [
            ['cut short', (file) => ftruncateSync(file, 5000)],
            ['full of noise', (file) => {
                const noise = Buffer.alloc(2048, 0x5a);
                for (let at = 100; at < 60000; at += 4096) writeSync(file, noise, 0, noise.length, at);
            }],
        ]) {
            it(`a database that is ${what}: nobody passes, and a backup brings it back`, async () => {
                const good = `${database}.good-${what.length}`;
                install.do(['backup', good]);
                assert.equal(spawnSync('sqlite3', [database, 'PRAGMA wal_checkpoint(TRUNCATE)']).status, 0);
                const file = openSync(database, 'r+');
                damage(file);
                closeSync(file);
                for (let i = 0; i < 8; i++) {
                    const stranger = await request(web.port, '/private/page.html');
                    assert.ok(stranger.status >= 300);
                    const answer = await new Browser(web.port).signIn(alice);
                    assert.notEqual(answer.status, 200);
                }
                assert.notEqual(install.try(['check']).status, 0);
                await install.service.stop();
                for (const end of ['', '-wal', '-shm']) rmSync(database + end, { force: true });
                renameSync(good, database);
                install.do(['check']);
                await install.serve();
                await assertOpen();
            });
        }
    });
}

describe('a full disk', { skip: process.getuid() === 0 ? false : 'mounting needs root' }, () => {
    let install;
    let web;
    let mounted = false;

    before(async () => {
        install = new Install();
        mkdirSync(install.state, { mode: 0o700 });
        mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'tmpfs', install.state]).status === 0;
        if (!mounted) return;
        await install.init().serve();
        web = await servers[0].start(install);
    });
    after(async () => {
        await web?.stop();
        await install.service?.stop();
        if (mounted) spawnSync('umount', ['-l', install.state]);
        await install.close();
    });

    it('keeps nobody out who is in, signs nobody in, and is over when there is room', async (t) => {
        if (!mounted) return t.skip('no tmpfs can be mounted here');
        const browser = new Browser(web.port);
        assert.equal((await browser.signIn(alice)).status, 303);
        const filler = path.join(install.state, 'filler');
        const file = openSync(filler, 'w');
        assert.throws(() => { for (;;) writeSync(file, Buffer.alloc(4096)); }, /ENOSPC/);
        closeSync(file);
        let refused = 0;
        for (let i = 0; i < 40; i++) {
            const other = new Browser(web.port);
            const answer = await other.signIn(alice);
            assert.ok([303, 503].includes(answer.status));
            if (answer.status === 503) {
                refused++;
                assert.equal((await other.fetch('/auth/session')).status, 401);
            }
        }
        assert.ok(refused > 0);
        assert.equal((await browser.fetch('/private/page.html')).status, 200);
        unlinkSync(filler);
        assert.equal((await new Browser(web.port).signIn(alice)).status, 303);
        assert.equal((await browser.signOut()).status, 303);
        install.do(['check']);
    });
});
