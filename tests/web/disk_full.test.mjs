// The disk of the state directory or of the run directory is full, or nearly: what anybody does is done
// or refused in clear words, nothing is half done, who is signed in goes on, and with room again all
// works without a restart. (Every number of pages up to 40: make fault-disk.)
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fillAll } from '../crash/disk_full.mjs';
import { needsRoot } from './support/small_disk.mjs';

it('on a full disk things are done or refused, and never half', { skip: needsRoot }, async (t) => {
    const tallies = await fillAll({ state: [0, 4, 25], run: [0] });
    const reason = Object.values(tallies).find((tally) => typeof tally === 'string');
    if (reason) {
        t.skip(reason);
        return;
    }
    for (const [name, { done, refused }] of Object.entries(tallies)) {
        assert.ok(done > 0, `${name}: nothing was done`);
        if (name.includes('state')) assert.ok(refused > 0, `${name}: nothing was refused`);
    }
});
