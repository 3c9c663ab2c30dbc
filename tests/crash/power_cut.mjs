// The power fails at any moment: whatever of the writes since the last fsync has reached the disk, all
// that was acknowledged holds, and nothing is half done; for `make fault-kill`.
//
// People and administrators do things, one after the other, while all that the programs do to files is
// recorded. Then the disk is made up to some moment, as a power cut may leave it, and programs that start
// there are asked. The run directory is lost.
//
// From the environment: CUTS (1000); LIES=1 for a disk that ignores fsync, which must be found out. BUILD names the build folder.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { Install, plainLatchkey } from '../web/support/install.mjs';
import { makeLibrary } from '../web/support/preload.mjs';
import { settingsFor } from '../web/support/stores.mjs';
import { acts, ask, perform } from './acts.mjs';
import { Disk, lossNames, readRecords } from './recording.mjs';
import { World, settings, together } from './world.mjs';

const stores = ['database', 'cookie']; // sessions of the cache do not outlive the machine
const cutsOfAct = 4; // about so many of each recorded act
const atEnd = 0.3; // the share of cuts when an act has just been answered
const outside = ['backup']; // acts on files elsewhere

const pick = (list) => list[Math.floor(Math.random() * list.length)];
const some = (list) => [...list].sort(() => Math.random() - 0.5).slice(0, 3);

export class PowerCut {
    constructor(store) {
        this.world = new World(store, false);
        this.replay = new Install(settingsFor(store, settings), plainLatchkey);
        this.place = this.world.install;
        this.recorded = [];
        this.tally = { cuts: 0, acknowledged: 0, done: 0, undone: 0 };
    }

    get length() {
        return statSync(this.record, { throwIfNoEntry: false })?.size ?? 0;
    }

    // So many acts, one after the other.
    async perform(count) {
        const { world } = this;
        this.record = path.join(world.install.folder, 'record');
        world.env = world.install.env = {
            ...world.install.env, LATCHKEY_TEST_RECORD: this.record,
            LD_PRELOAD: makeLibrary(world.install.folder, 'tests/crash/recorder.c'),
        };
        await world.open();
        const list = acts.filter(({ name, isFor }) => !outside.includes(name) && (!isFor || isFor(world.store)));
        for (let i = 0; i < count; i++) {
            const act = pick(list);
            const doing = await act.make(world);
            const [from, alive, ended, form] = [this.length, [...world.sessions], [...world.ended], world.form];
            const result = await perform(world, doing);
            const to = this.length;
            assert.ok(doing.isAcknowledged(result), `${act.name}: ${result.errors}`);
            const facts = await doing.facts(result);
            await doing.apply(result);
            this.recorded.push({ name: act.name, from, to, facts, form, alive: alive.filter((one) => world.sessions.includes(one)), ended });
        }
        this.records = readRecords(this.record);
    }

    // Moments in the order of time, as { act, records: how many, isAcknowledged }.
    choose(count) {
        const moments = [];
        for (let i = 0; i < count; i++) {
            const act = pick(this.recorded);
            const inside = this.records.filter(({ end }) => end > act.from && end <= act.to);
            const records = Math.random() < atEnd ? inside.length : Math.floor(Math.random() * (inside.length + 1));
            moments.push({
                act, records: this.records.filter(({ end }) => end <= act.from).length + records,
                // A page is answered by what it writes, a command says so when all is done.
                isAcknowledged: records === inside.length || inside.slice(0, records).some(({ kind }) => kind === 'a'),
            });
        }
        return moments.sort((a, b) => a.records - b.records);
    }

    // Cuts the power so many times. `obeysSync`: the disk does what it is told, as it must.
    async cutTimes(count, options) {
        const disk = new Disk(this.place.state, options);
        let taken = 0;
        for (const { act, records, isAcknowledged } of this.choose(count)) {
            while (taken < records) disk.take(this.records[taken++]);
            const loss = pick(lossNames);
            for (const folder of [this.replay.state, this.replay.run]) rmSync(folder, { recursive: true, force: true });
            mkdirSync(this.replay.run, { mode: 0o755 }); // as a start of the machine makes it
            disk.cut(this.replay.state, loss);
            try {
                await this.judge(act, isAcknowledged);
            } catch (error) {
                throw new Error(`${this.world.name}: ${act.name}, power cut after ${records} of ${this.records.length} records, ` +
                    `lost: ${loss}: ${error.message}`, { cause: error });
            }
        }
    }

    async judge({ facts, form, alive, ended }, isAcknowledged) {
        const { world, tally } = this;
        Object.assign(world, { install: this.replay, env: this.replay.env, form });
        const { isBefore, isAfter, text } = await ask(facts);
        assert.ok(isAfter || (isBefore && !isAcknowledged), `${isAcknowledged ? 'acknowledged and lost' : 'half done'}: ${text}`);
        for (const session of some(alive)) assert.equal(await world.passes(session), true, 'a session of before is lost');
        for (const session of some(ended)) assert.equal(await world.passes(session), false, 'a session that was over passes again');
        assert.equal(await world.sql('PRAGMA integrity_check; PRAGMA foreign_key_check'), 'ok');
        tally.cuts++;
        tally.acknowledged += isAcknowledged;
        tally.done += isAfter && !isBefore;
        tally.undone += isBefore && !isAfter;
    }

    async close() {
        this.world.install = this.place;
        await this.world.close();
        await this.replay.close();
    }
}

// Cuts the power so many times, of acts of each store. Resolves to the tallies by name.
export async function cutAll({ cuts, only = stores, options, say = () => {} }) {
    const tallies = {};
    await together(only.map(async (store) => {
        const power = new PowerCut(store);
        try {
            const each = Math.ceil(cuts / only.length);
            await power.perform(Math.ceil(each / cutsOfAct));
            await power.cutTimes(each, options);
            tallies[power.world.name] = power.tally;
            say(power.world.name, power.tally);
        } finally {
            await power.close();
        }
    }));
    return tallies;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
    const cuts = Number(process.env.CUTS || 1000);
    const begun = Date.now();
    await cutAll({ cuts, options: { obeysSync: !process.env.LIES }, say: (name, tally) => console.log(`${name}: ${JSON.stringify(tally)}`) });
    const seconds = Math.round((Date.now() - begun) / 1000);
    console.log(`${cuts} power cuts in ${seconds} s: nothing acknowledged was lost, nothing was half done`);
}
