// Kills the real programs at a chosen system call, or at any moment, again and again, and looks whether
// what was acknowledged holds and nothing is half done; for `make fault-kill`.
//
// From the environment: KILLS (10000), STORES (all). BUILD names the build folder.
import assert from 'node:assert/strict';
import os from 'node:os';
import { stores } from '../web/support/stores.mjs';
import { acts, ask, perform } from './acts.mjs';
import { Beginnings } from './beginnings.mjs';
import { Crash, modes } from './crash.mjs';
import { World, together } from './world.mjs';

const byMoment = 0.2; // the share of kills by the clock, of programs that start for the request
const byWorker = 0.6; // where programs run, the share of pages that these are asked for
const wholeEvery = 20; // kills between two looks at the whole
const longest_ms = 40; // of what is killed by the clock

const pick = (list) => list[Math.floor(Math.random() * list.length)];

function choose(store) {
    const list = acts.filter(({ isFor }) => !isFor || isFor(store));
    return pick(list.flatMap((act) => Array(act.weight).fill(act)));
}

// Programs of one world are killed, one at a time.
export class Killer {
    constructor(world) {
        this.world = world;
        this.tally = { kills: 0, done: 0, undone: 0, acknowledged: 0, acts: {} };
        this.calls = new Map();
    }

    async open() {
        this.started = new Crash(this.world.install.makeFolder('crash'), 'started');
        this.running = new Crash(this.world.install.makeFolder('crash'), 'running');
        await this.world.open(this.running.env);
        return this;
    }

    async close() {
        this.started.close();
        this.running.close();
        return this.world.close();
    }

    // At which call, unless it is said: the last one that was seen to its end says how many there are.
    arm(crash, act, program, call) {
        const calls = this.calls.get(act.name) ?? 0;
        const left = call ?? (calls > 0 ? 1 + Math.floor(Math.random() * calls) : 0);
        const mode = pick(Object.keys(modes));
        crash.arm(program, left, mode);
        return left === 0 ? 'not killed' : `killed ${mode} call ${left} of ${calls}`;
    }

    // Runs what is to be killed, at that call if one is given; { status, answer, how }.
    async strike(act, doing, call) {
        const { world } = this;
        if (doing.request && world.isLive && doing.program !== 'cart' && !call && Math.random() < byWorker) {
            const how = this.arm(this.running, act, doing.program);
            const result = await perform(world, doing, { isRunning: true });
            this.calls.set(act.name, Math.max(this.running.calls, 1));
            this.running.disarm();
            return { ...result, how: `a worker, ${how}` };
        }
        const kill_ms = !call && Math.random() < byMoment ? Math.random() * longest_ms : undefined;
        const how = kill_ms === undefined ? this.arm(this.started, act, doing.program, call) : `killed after ${kill_ms.toFixed(1)} ms`;
        if (kill_ms !== undefined) this.started.disarm();
        const result = await perform(world, doing, { env: { ...world.env, ...this.started.env }, kill_ms });
        if (kill_ms === undefined && result.status !== 'SIGKILL') this.calls.set(act.name, Math.max(this.started.calls, 1));
        return { ...result, how };
    }

    // One act, killed, and what came of it. Resolves to whether it was killed.
    async strikeOnce(act = choose(this.world.store), call) {
        const { world, tally } = this;
        const doing = await act.make(world);
        const result = await this.strike(act, doing, call);
        const what = `${world.name}: ${act.name}, ${result.how}, status ${result.status}`;
        try {
            const isAcknowledged = doing.isAcknowledged(result);
            if (result.status !== 'SIGKILL') assert.ok(isAcknowledged, `not killed, and not done: ${result.errors ?? result.answer.status}`);
            const isDone = await this.judge(await doing.facts(result), isAcknowledged);
            if (isDone ?? isAcknowledged) await doing.apply(result);
            await this.judgeOthers();
            const isKilled = result.status === 'SIGKILL';
            tally.kills += isKilled;
            if (isKilled) {
                tally.acts[act.name] = (tally.acts[act.name] ?? 0) + 1;
                tally.acknowledged += isAcknowledged;
                tally.done += isDone === true;
                tally.undone += isDone === false;
            }
            doing.tidy?.();
            if (act.name === 'secret revoke' && isKilled) world.hasBreak = true;
            if (tally.kills % wholeEvery === 0) await world.checkWhole();
            return isKilled;
        } catch (error) {
            throw new Error(`${what}: ${error.message}`, { cause: error });
        }
    }

    // One act again and again, killed at every `step`-th call of it.
    async strikeAtEach(name, step) {
        const act = acts.find((one) => one.name === name);
        for (let call = 1; await this.strikeOnce(act, call); call += step);
    }

    // Whether the facts are all as after (true), all as before (false); undefined when they say nothing.
    async judge(facts, isAcknowledged) {
        const { isBefore, isAfter, text } = await ask(facts);
        assert.ok(isAfter || isBefore, `half done: ${text}`);
        assert.ok(isAfter || !isAcknowledged, `acknowledged and not done: ${text}`);
        return isAfter && isBefore ? undefined : isAfter;
    }

    // One that is alive is alive, one that is over stays over.
    async judgeOthers() {
        const { world } = this;
        if (world.sessions.length > 0) assert.equal(await world.passes(pick(world.sessions)), true, 'a session of somebody else is over');
        if (world.ended.length > 0) assert.equal(await world.passes(pick(world.ended)), false, 'a session that was over passes again');
    }
}

const ofBeginnings = 0.1; // the share of kills while an installation is made or migrated

const tellEvery = 250;

async function killInWorld(world, kills, say) {
    const killer = await new Killer(world).open();
    try {
        while (killer.tally.kills < kills) {
            if (await killer.strikeOnce() && killer.tally.kills % tellEvery === 0) say(`${world.name}, so far`, killer.tally);
        }
        await world.checkWhole();
    } finally {
        await killer.close();
    }
    return killer.tally;
}

async function killBeginnings(kills) {
    const beginnings = await new Beginnings().open();
    try {
        return await beginnings.strikeUntil(kills);
    } finally {
        await beginnings.close();
    }
}

// Kills so many in all: in worlds of all stores with programs that run and that do not, and while an
// installation begins; some at a time, for each waits for the disk now and then. Resolves to the tallies
// by name.
export async function killTimes({ kills, only = stores, say = () => {} }) {
    const worlds = only.flatMap((store) => [true, false].map((isLive) => new World(store, isLive)));
    const each = Math.ceil(kills * (1 - ofBeginnings) / worlds.length);
    const jobs = [
        ...worlds.map((world) => [world.name, () => killInWorld(world, each, say)]),
        ['init and migrate', () => killBeginnings(Math.ceil(kills * ofBeginnings))],
    ];
    const tallies = {};
    await together(Array.from({ length: 2 * os.cpus().length }, async () => {
        for (let job = jobs.shift(); job; job = jobs.shift()) {
            tallies[job[0]] = await job[1]();
            say(job[0], tallies[job[0]]);
        }
    }));
    return tallies;
}

export const sumOf = (tallies) => Object.values(tallies).reduce((sum, { kills }) => sum + kills, 0);

if (process.argv[1] === new URL(import.meta.url).pathname) {
    const kills = Number(process.env.KILLS || 10000);
    const begun = Date.now();
    const tallies = await killTimes({
        kills, only: process.env.STORES?.split(','), say: (name, tally) => console.log(`${name}: ${JSON.stringify(tally)}`),
    });
    const seconds = Math.round((Date.now() - begun) / 1000);
    console.log(`${sumOf(tallies)} kills in ${seconds} s: nothing acknowledged was lost, nothing was half done`);
}
