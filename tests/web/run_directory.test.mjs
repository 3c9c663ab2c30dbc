// A command that was configured with another run directory than the programs that run cannot tell
// them what it revoked: they find out by themselves within a minute.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { it } from 'node:test';
import { clocked } from './support/clock.mjs';
import { signedIn } from './support/forms.mjs';
import { alice, plainLatchkey } from './support/install.mjs';
import { assertDead, warm } from './support/replay.mjs';
import { forEachStore, settingsFor } from './support/stores.mjs';

forEachStore('with another run directory', (at) => {
    it('a lock holds within a minute', async () => {
        const browser = await signedIn(at.webs[0].port);
        const copied = browser.cookie;
        await warm(at, copied);
        at.install.configure(settingsFor(at.store, {
            state: { directory: at.install.state, run_directory: path.join(at.install.folder, 'elsewhere') },
        }));
        const locked = spawnSync(plainLatchkey, ['user', 'lock', alice.name],
            { env: { ...at.install.env, ...at.clock.env }, encoding: 'utf8' });
        assert.equal(locked.status, 0, locked.stderr);
        at.clock.pass(61);
        await assertDead(at, copied, 48);
    });
}, clocked);
