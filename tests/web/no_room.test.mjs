// No room at all in the run directory, when nothing was ended there before and when something was:
// sessions can be ended all the same, for every worker.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { signedIn } from './support/forms.mjs';
import { Install, alice, bob } from './support/install.mjs';
import { assertAlive, assertDead, warm } from './support/replay.mjs';
import { settingsFor, startAll } from './support/stores.mjs';

function fill(folder) {
    const rest = path.join(folder, 'rest');
    assert.throws(() => writeFileSync(rest, Buffer.alloc(4 << 20)), { code: 'ENOSPC' });
    return rest;
}

for (const store of ['database', 'cookie']) {
    describe(`a run directory without room, ${store} store`, { skip: process.getuid() !== 0 && 'needs root' }, () => {
        const at = { store, webs: [] };
        let skip;

        before(async () => {
            at.install = new Install(settingsFor(store));
            mkdirSync(at.install.run, { mode: 0o755 });
            const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=755', 'latchkey-test', at.install.run]);
            if (mounted.status !== 0) {
                skip = 'nothing can be mounted here';
                return;
            }
            chmodSync(at.install.run, 0o755);
            at.install.init();
            at.webs = await startAll(at.install);
        });
        after(async () => {
            for (const web of at.webs) await web.stop();
            await at.install.service?.stop();
            spawnSync('umount', [at.install.run]);
            await at.install.close();
        });

        for (const before of ['nothing', 'something']) {
            it(`ends sessions when ${before} was ended before`, async (t) => {
                if (skip) {
                    t.skip(skip);
                    return;
                }
                rmSync(path.join(at.install.run, 'generation'), { force: true });
                if (before === 'something') at.install.do(['session', 'revoke-all']);
                const leaving = await signedIn(at.webs[0].port, alice);
                const locked = await signedIn(at.webs[1].port, bob);
                const copied = leaving.cookie;
                await warm(at, copied);
                await warm(at, locked.cookie);
                const rest = fill(at.install.run);
                assert.equal((await leaving.signOut()).status, 303);
                await assertDead(at, copied, 48);
                await assertAlive(at, locked.cookie, 24);
                at.install.do(['user', 'lock', 'bob']);
                await assertDead(at, locked.cookie, 48);
                rmSync(rest);
                await assertDead(at, copied, 48);
                await assertDead(at, locked.cookie, 48);
                at.install.do(['user', 'unlock', 'bob']);
                await assertAlive(at, (await signedIn(at.webs[0].port, bob)).cookie);
            });
        }
    });
}
