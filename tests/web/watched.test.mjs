// The files that tell of changes are watched, not looked at with every check; and where they cannot
// be watched, they are looked at with every check.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { signedIn } from './support/forms.mjs';
import { Install, Service, alice, bob, plainLatchkey, until } from './support/install.mjs';
import { makeLibrary } from './support/preload.mjs';
import { findWorkers } from './support/processes.mjs';
import { assertAlive, assertDead, pages, replay, replayEverywhere, warm } from './support/replay.mjs';
import { forEachStore, workers } from './support/stores.mjs';

const checks = 1000;
const gate = pages.filter(({ program }) => program === 'gate');

// Resolves to the calls that the gate's workers make, one a line, while `task` runs.
async function trace(at, task) {
    const file = path.join(at.install.folder, 'trace');
    const pids = findWorkers(at.install, 'gate');
    const strace = new Service('strace', ['-ff', '-y', '-o', file, ...pids.flatMap((pid) => ['-p', pid])]);
    await until('strace', () => {
        assert.ok(strace.isRunning, strace.output);
        return pids.every((pid) => strace.output.includes(`Process ${pid} attached`));
    });
    await task();
    await strace.stop('SIGINT');
    return pids.flatMap((pid) => readFileSync(`${file}.${pid}`, 'utf8').split('\n'));
}

const withStrace = { skip: spawnSync('strace', ['-V']).status !== 0 && 'without strace' };

forEachStore('watched files', (at) => {
    it(`are not looked at for each of ${checks} checks`, withStrace, async () => {
        const { cookie } = await signedIn(at.webs[0].port);
        await warm(at, cookie);
        const begin = Date.now();
        const calls = await trace(at, async () => assert.deepEqual(await replay(at, cookie, checks, gate), [true]));
        const seconds = Math.ceil((Date.now() - begin) / 1000) + 1;
        const count = (pattern) => calls.filter((call) => pattern.test(call)).length;
        assert.ok(count(/Status: 20/) >= checks);
        // At most once a second, by each worker: when they are watched anew, and looked at.
        for (const looked of [/stat.*\/secret"/, /stat.*\/generation"/, /stat.*\/latchkey\.db"/, /pread.*\/generation>/]) {
            assert.ok(count(looked) <= workers.gate * seconds * 3, `${looked} ${count(looked)} times in ${seconds} s`);
        }
        assert.ok(count(/^read\(.*inotify.* EAGAIN/) >= checks);
    });
}, { serve: () => ({ command: plainLatchkey }) });

// What ends a session, and holds for the next request.
const endings = [
    { what: 'a sign-out', end: async (at, browser) => assert.equal((await browser.signOut()).status, 303) },
    { what: 'a lock', end: (at) => at.install.do(['user', 'lock', alice.name]), after: (at) => at.install.do(['user', 'unlock', alice.name]) },
    { what: 'a new secret', end: (at) => at.install.do(['secret', 'revoke']) },
];

const endAll = (at) => {
    for (const { what, end, after } of endings) {
        it(`know of ${what} at the next request`, async () => {
            const browser = await signedIn(at.webs[0].port);
            const copied = browser.cookie;
            await warm(at, copied);
            await end(at, browser);
            await assertDead(at, copied, 48);
            after?.(at);
            await assertAlive(at, (await signedIn(at.webs[0].port, bob)).cookie);
        });
    }
};

forEachStore('programs that cannot watch', (at) => {
    endAll(at);
    it('say so once', () => assert.match(at.install.log, /gate\[\d+\]: info: .*\/secret cannot be watched/));
}, {
    serve: ({ install }) => ({
        command: plainLatchkey,
        env: { LD_PRELOAD: makeLibrary(install.folder, 'tests/web/support/no_inotify.c') },
    }),
});

// A database that came back serves from the second request on.
const untilAlive = (at, cookie) => until('the database', async () => {
    const told = await replayEverywhere(at, cookie, 1);
    return told.length === 1 && told[0] === true;
});

// A link on the way may be turned to another folder without a word to who watches the folders.
class Linked extends Install {
    configure(settings) {
        this.state = path.join(this.folder, 'link', 'state');
        this.run = path.join(this.folder, 'link', 'run');
        mkdirSync(path.join(this.folder, 'there'));
        symlinkSync('there', path.join(this.folder, 'link'));
        super.configure(settings);
    }
}

forEachStore('programs whose folders are behind a link', (at) => {
    endAll(at);
    it('know of a link that leads elsewhere at the next request', async () => {
        const { cookie } = await signedIn(at.webs[0].port);
        await warm(at, cookie);
        const link = path.join(at.install.folder, 'link');
        symlinkSync('nowhere', `${link}.new`);
        renameSync(link, `${link}.old`);
        renameSync(`${link}.new`, link);
        try {
            assert.ok((await replay(at, cookie, 24, gate)).every((told) => told !== true));
        } finally {
            renameSync(`${link}.old`, link);
        }
        await untilAlive(at, cookie);
    });
}, { make: (settings) => new Linked(settings) });

forEachStore('programs whose folders are moved', (at) => {
    it('know of it at the next request, and of what ends after they were moved back', async () => {
        const browser = await signedIn(at.webs[0].port);
        const { cookie } = browser;
        for (const folder of [at.install.state, at.install.folder]) {
            await warm(at, cookie);
            renameSync(folder, `${folder}.away`);
            try {
                assert.ok((await replay(at, cookie, 24, gate)).every((told) => told !== true));
            } finally {
                renameSync(`${folder}.away`, folder);
            }
            await untilAlive(at, cookie);
            await warm(at, cookie);
        }
        assert.equal((await browser.signOut()).status, 303);
        await assertDead(at, cookie, 48);
    });
});

// As a hand that means to help does it: what stands in them is lost, and the next who writes makes new ones.
forEachStore('programs whose logs are taken away', (at) => {
    it('know of it at the next request', async () => {
        const { cookie } = await signedIn(at.webs[0].port);
        await warm(at, cookie);
        for (const file of [path.join(at.install.state, 'latchkey.db'), path.join(at.install.run, 'cache.db')]) {
            for (const ending of ['wal', 'shm']) rmSync(`${file}-${ending}`, { force: true });
        }
        await assertAlive(at, (await signedIn(at.webs[0].port, bob)).cookie);
    });
});
