// No room at all in the run directory, when nothing was ended there before and when something was:
// sessions can be ended all the same, for every worker.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { signedIn } from './support/forms.mjs';
import { Install, alice, bob } from './support/install.mjs';
import { assertAlive, assertDead, warm } from './support/replay.mjs';
import { SmallDisk, needsRoot } from './support/small_disk.mjs';
import { settingsFor, startAll } from './support/stores.mjs';

for (const store of ['database', 'cookie']) {
    describe(`a run directory without room, ${store} store`, { skip: needsRoot }, () => {
        const at = { store, webs: [] };
        let disk;

        before(async () => {
            at.install = new Install(settingsFor(store));
            disk = new SmallDisk(at.install.run, { size: '1m' });
            if (disk.why) return;
            at.install.init();
            at.webs = await startAll(at.install);
        });
        after(async () => {
            for (const web of at.webs) await web.stop();
            await at.install.service?.stop();
            disk.close();
            await at.install.close();
        });

        for (const before of ['nothing', 'something']) {
            it(`ends sessions when ${before} was ended before`, async (t) => {
                if (disk.why) {
                    t.skip(disk.why);
                    return;
                }
                rmSync(path.join(at.install.run, 'generation'), { force: true });
                if (before === 'something') at.install.do(['session', 'revoke-all']);
                const leaving = await signedIn(at.webs[0].port, alice);
                const locked = await signedIn(at.webs[1].port, bob);
                const copied = leaving.cookie;
                await warm(at, copied);
                await warm(at, locked.cookie);
                disk.fill();
                assert.equal((await leaving.signOut()).status, 303);
                await assertDead(at, copied, 48);
                await assertAlive(at, locked.cookie, 24);
                at.install.do(['user', 'lock', 'bob']);
                await assertDead(at, locked.cookie, 48);
                disk.makeRoom();
                await assertDead(at, copied, 48);
                await assertDead(at, locked.cookie, 48);
                at.install.do(['user', 'unlock', 'bob']);
                await assertAlive(at, (await signedIn(at.webs[0].port, bob)).cookie);
            });
        }
    });
}
