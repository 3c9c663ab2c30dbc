// A database that is set back to an earlier state under running programs, in place, so that it
// counts its revocations again from there: none of the new ones is taken for a known one.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { it } from 'node:test';
import { signedIn } from './support/forms.mjs';
import { bob } from './support/install.mjs';
import { assertAlive, assertDead, warm } from './support/replay.mjs';
import { forEachStore } from './support/stores.mjs';

async function comeAndGo(at, times) {
    for (let i = 0; i < times; i++) assert.equal((await (await signedIn(at.webs[0].port, bob)).signOut()).status, 303);
}

forEachStore('after the database was set back', (at) => {
    for (const since of [1, 3]) {
        it(`a sign-out holds whose number was given before, ${since} in all`, async () => {
            const copy = path.join(at.install.folder, `copy-${since}.db`);
            const browsers = [];
            for (let i = 0; i < since; i++) browsers.push(await signedIn(at.webs[0].port));
            await comeAndGo(at, 2);
            at.install.do(['backup', copy]);
            await comeAndGo(at, since);
            const copied = browsers.map(({ cookie }) => cookie);
            for (const cookie of copied) await warm(at, cookie);
            const restored = spawnSync('sqlite3', [path.join(at.install.state, 'latchkey.db'), `.restore ${copy}`],
                { encoding: 'utf8' });
            assert.equal(restored.status, 0, restored.stderr);
            for (const cookie of copied) await assertAlive(at, cookie, 24);
            for (const browser of browsers) assert.equal((await browser.signOut()).status, 303);
            for (const cookie of copied) await assertDead(at, cookie, 48);
        });
    }
});
