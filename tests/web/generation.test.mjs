// The file of the revocation generation, spoilt in every way under running programs: whatever it
// holds, a session that has ended does not pass, others do, nobody crashes, and the next revocation
// brings all in order.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
    appendFileSync, chmodSync, chownSync, mkdirSync, readFileSync, renameSync, rmSync, statSync,
    symlinkSync, truncateSync, unlinkSync, utimesSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { before, beforeEach, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { signedIn } from './support/forms.mjs';
import { bob } from './support/install.mjs';
import { findWorkers } from './support/processes.mjs';
import { assertDead, get, replay, warm } from './support/replay.mjs';
import { secret } from './support/servers.mjs';
import { forEachStore } from './support/stores.mjs';
import { makeUnprivileged, serveUnprivileged } from './support/unprivileged.mjs';

// A file of the same owner and mode in its place.
function exchange(file, bytes) {
    const { uid, gid, mode } = statSync(file);
    writeFileSync(`${file}.new`, bytes);
    chmodSync(`${file}.new`, mode);
    chownSync(`${file}.new`, uid, gid);
    renameSync(`${file}.new`, file);
}

// Each gets the path and an older content of the file. `mend` is for what the programs cannot.
const spoilings = [
    { what: 'it is overwritten with noise', spoil: (file) => writeFileSync(file, randomBytes(statSync(file).size)) },
    { what: 'noise is written behind it', spoil: (file) => appendFileSync(file, randomBytes(4096)) },
    { what: 'noise has its place', spoil: (file) => exchange(file, randomBytes(statSync(file).size)) },
    { what: 'it is filled with zeros', spoil: (file) => writeFileSync(file, Buffer.alloc(statSync(file).size)) },
    { what: 'it is emptied', spoil: (file) => truncateSync(file, 0) },
    { what: 'it is cut in half', spoil: (file) => truncateSync(file, statSync(file).size / 2) },
    { what: 'it is removed', spoil: (file) => unlinkSync(file) },
    { what: 'an older state is written into it', spoil: (file, older) => writeFileSync(file, older.bytes) },
    {
        what: 'an older state is written into it, of its time',
        spoil: (file, older) => {
            writeFileSync(file, older.bytes);
            utimesSync(file, older.stat.atime, older.stat.mtime);
        },
    },
    { what: 'an older copy has its place', spoil: (file, older) => exchange(file, older.bytes) },
    {
        what: 'it is a link to an older copy',
        spoil: (file, older) => {
            exchange(file, older.bytes);
            renameSync(file, `${file}.older`);
            symlinkSync(`${file}.older`, file);
        },
    },
    { what: 'it is a link to nothing', spoil: (file) => { unlinkSync(file); symlinkSync(`${file}.none`, file); } },
    {
        what: 'it is a pipe',
        spoil: (file) => { unlinkSync(file); assert.equal(spawnSync('mkfifo', ['-m', '666', file]).status, 0); },
    },
    { what: 'it may not be read', spoil: (file) => chmodSync(file, 0) },
    {
        what: 'it is a folder', spoil: (file) => { unlinkSync(file); mkdirSync(file); },
        mend: (file) => rmSync(file, { recursive: true }),
    },
];

const programs = ['gate', 'account', 'login', 'logout'];

forEachStore('a spoilt generation', (at) => {
    let live;
    let file;
    let pids;
    const workers = () => programs.map((name) => findWorkers(at.install, name));
    const read = () => ({ bytes: readFileSync(file), stat: statSync(file) });

    before(async () => {
        file = path.join(at.install.run, 'generation');
        live = (await signedIn(at.webs[0].port, bob)).cookie;
        await warm(at, live);
        pids = workers();
        // The file has a past.
        assert.equal((await signedIn(at.webs[0].port).then((browser) => browser.signOut())).status, 303);
    });
    beforeEach(() => rmSync(`${file}.older`, { force: true }));

    const assertLive = async (cookie, times = 8) => assert.deepEqual(await replay(at, cookie, times), [true]);

    // A session that all workers know, and a copy of its cookie.
    async function enter(index) {
        const browser = await signedIn(at.webs[index % at.webs.length].port);
        const copied = browser.cookie;
        await warm(at, copied);
        return { browser, copied };
    }

    async function leave({ browser, copied }, mend) {
        let answer = await browser.signOut();
        if (mend !== undefined && answer.status !== 303) {
            // It was refused, so nothing changed.
            assert.equal(answer.status, 503);
            assert.deepEqual(answer.cookies, []);
            await assertLive(copied);
            mend(file);
            answer = await browser.signOut();
        }
        assert.equal(answer.status, 303);
    }

    for (const [index, { what, spoil, mend }] of spoilings.entries()) {
        it(`lets nobody pass whose session has ended: ${what}`, async () => {
            const older = read();
            const gone = [await enter(index), await enter(index + 1), await enter(index)];
            await leave(gone[0]);
            // Before a sign-out.
            spoil(file, older);
            await assertLive(gone[1].copied);
            await assertDead(at, gone[0].copied, 24);
            await leave(gone[1], mend);
            await assertDead(at, gone[1].copied, 24);
            await assertLive(live);
            // After one that no worker has heard of yet.
            await warm(at, gone[2].copied);
            const latest = read();
            await leave(gone[2]);
            spoil(file, latest);
            for (const { copied } of gone) await assertDead(at, copied, 24);
            await assertLive(live);
            // And all is well after the next.
            mend?.(file);
            const last = await enter(index);
            await leave(last);
            for (const { copied } of [last, ...gone]) await assertDead(at, copied, 24);
            await warm(at, live);
            assert.deepEqual(workers(), pids);
            assert.deepEqual(read().bytes.length, older.bytes.length);
        });
    }

    it('that changes all the time lets nobody pass whose session has ended', async () => {
        const older = read();
        const changes = [
            () => writeFileSync(file, older.bytes), () => exchange(file, older.bytes), () => truncateSync(file, 0),
            () => writeFileSync(file, randomBytes(40)), () => unlinkSync(file), () => writeFileSync(file, older.bytes),
        ];
        let isOver = false;
        const changing = (async () => {
            for (let i = 0; !isOver; i++) {
                try {
                    changes[i % changes.length]();
                } catch (error) {
                    assert.equal(error.code, 'ENOENT');
                }
                await sleep(1);
            }
            return true;
        })();
        try {
            for (let i = 0; i < 4; i++) {
                const { browser, copied } = await enter(i);
                const end = Date.now() + 3000;
                // A writer may find no end of changes, and then says so.
                for (let status = 0; status !== 303;) {
                    ({ status } = await browser.signOut());
                    assert.ok([303, 503].includes(status));
                    if (status === 503) await assertLive(copied);
                    assert.ok(Date.now() < end);
                }
                await assertDead(at, copied, 48);
                await assertLive(live, 16);
            }
        } finally {
            isOver = true;
            assert.ok(await changing);
        }
        // Peace comes with the next revocation at the latest.
        await leave(await enter(0));
        assert.ok(statSync(file).isFile());
        assert.deepEqual(workers(), pids);
    });

    it('is not needed for anything but speed', async () => {
        const gone = await enter(0);
        rmSync(file);
        await assertLive(live, 48);
        await leave(gone);
        await assertDead(at, gone.copied, 48);
        assert.deepEqual(workers(), pids);
    });

    // What a worker knows counts again without the database, once all is well.
    const serves = async () => {
        truncateSync(file, 0);
        await leave(await enter(0));
        await warm(at, live);
        const database = path.join(at.install.state, 'latchkey.db');
        renameSync(database, `${database}.away`);
        try {
            for (const { port } of at.webs) {
                const answer = await get(port, '/private/page.html', live);
                assert.ok(answer.status === 200 && answer.text.includes(secret));
            }
            truncateSync(file, 0);
            for (const { port } of at.webs) {
                assert.ok([500, 503].includes((await get(port, '/private/page.html', live)).status));
            }
        } finally {
            renameSync(`${database}.away`, database);
        }
        await assertLive(live, 48);
    };
    if (at.store === 'cookie') it('that was brought in order serves without the database', serves);
}, { make: makeUnprivileged, serve: ({ install }) => serveUnprivileged(install) });
