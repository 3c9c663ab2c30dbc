// kill -9 and power cuts, at chosen moments of real programs on a real database: what was acknowledged
// holds, and nothing is half done. (Ten thousand of them: make fault-kill.)
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Beginnings } from '../crash/beginnings.mjs';
import { Killer, killTimes, sumOf } from '../crash/kill.mjs';
import { cutAll } from '../crash/power_cut.mjs';
import { World } from '../crash/world.mjs';

const kills = 150;
const cuts = 40;

describe('whatever is in the middle of something', { concurrency: 1 }, () => {
    it(`has done it or not when it is killed, ${kills} times`, async () => {
        const tallies = await killTimes({ kills });
        assert.ok(sumOf(tallies) >= kills);
        // They fell on both sides of what matters; of the beginnings there are so few that chance decides,
        // and a test of their own is below.
        for (const [name, { done, undone }] of Object.entries(tallies)) {
            if (name !== 'init and migrate') assert.ok(done > 0 && undone > 0, `${name}: ${done}, ${undone}`);
        }
    });

    // More than one step was needed for these: a name for the copy and its content, sessions and their user.
    for (const [name, step] of [['backup', 2], ['user remove', 4]]) {
        it(`has done it or not when it is killed at calls all through ${name}`, async () => {
            const killer = await new Killer(new World('database', false)).open();
            try {
                await killer.strikeAtEach(name, step);
                assert.ok(killer.tally.undone > 0 && killer.tally.done > 0, JSON.stringify(killer.tally));
            } finally {
                await killer.close();
            }
        });
    }

    it('can be begun again when it is killed at calls all through init', async () => {
        const beginnings = await new Beginnings().open();
        try {
            await beginnings.initAtEach(8);
            assert.ok(beginnings.tally.kills > 5, JSON.stringify(beginnings.tally));
        } finally {
            await beginnings.close();
        }
    });

    it(`has done it or not when the power fails, ${cuts} times`, async () => {
        const tallies = Object.values(await cutAll({ cuts }));
        for (const what of ['acknowledged', 'done', 'undone']) assert.ok(tallies.some((tally) => tally[what] > 0), what);
    });

    it('would be found out on a disk that does not do what it is told', async () => {
        await assert.rejects(cutAll({ cuts: 40, only: ['database'], options: { obeysSync: false } }), /power cut after/);
    });
});
