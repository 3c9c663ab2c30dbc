// The disk is full, but for a page, two, three …, while somebody does something: it is done or refused
// in clear words and never half, who is signed in goes on, and when there is room again all works without
// a restart; for `make fault-disk`. Needs root, for file systems of a few megabytes.
//
// From the environment: PAGES (40), the most that is left free. BUILD names the build folder.
import assert from 'node:assert/strict';
import { stores } from '../web/support/stores.mjs';
import { SmallDisk, needsRoot } from '../web/support/small_disk.mjs';
import { acts, ask, perform } from './acts.mjs';
import { World, together } from './world.mjs';

const places = {
    state: { size: '3m', mode: 0o700 },
    run: { size: '6m', mode: 0o755 },
};

// The running programs, or those that start for a request, in turns.
const isRunningAt = (pages) => pages % 2 === 0;

export class FullDisk {
    constructor(store, place) {
        Object.assign(this, { place, world: new World(store, true), tally: { done: 0, refused: 0 } });
        this.disk = new SmallDisk(this.world.install[place], places[place]);
    }

    // The reason why there is no such disk, if so.
    async open() {
        if (this.disk.why) return this.disk.why;
        await this.world.open();
        if (this.place === 'state') this.world.copies = this.world.install.state;
        await this.bringResident();
        return undefined;
    }

    // Somebody who stays signed in, whom no act is about.
    async bringResident() {
        const user = this.resident?.user ?? Object.assign(await this.world.addUser(), { isApart: true });
        this.resident = await this.world.signIn(user);
        this.world.sessions.pop();
    }

    // Words for a person, or for a browser.
    assertRefused({ status, answer, errors }, doing) {
        if (doing.request) {
            assert.equal(answer.status, 503);
            if (doing.program !== 'cart') assert.match(answer.headers['retry-after'] ?? '', /^[1-9]\d*$/);
            assert.equal(answer.headers['set-cookie'], undefined, 'a cookie comes with the refusal');
        } else {
            assert.equal(status, 1);
            assert.match(errors, /space|room|full|written/i);
        }
    }

    // The log is as short as it can be, so that each write needs room.
    async fill(pages) {
        if (this.place === 'state') await this.world.sql('PRAGMA wal_checkpoint(TRUNCATE)');
        this.disk.fill(pages);
    }

    async tryWith(act, pages) {
        const { world, tally } = this;
        const doing = await act.make(world);
        const way = { isRunning: isRunningAt(pages) && doing.program !== 'cart' };
        await this.fill(pages);
        let result;
        try {
            result = await perform(world, doing, way);
            assert.equal(await this.stays(act), true, 'who is signed in does not pass on a full disk');
        } finally {
            this.disk.makeRoom();
        }
        const isDone = doing.isAcknowledged(result);
        if (!isDone) this.assertRefused(result, doing);
        const { isBefore, isAfter, text } = await ask(await doing.facts(result));
        assert.ok(isAfter || isBefore, `half done: ${text}`);
        assert.ok(isDone ? isAfter : isBefore, `${isDone ? 'acknowledged and not done' : 'refused, though done'}: ${text}`);
        tally[isDone ? 'done' : 'refused']++;
        if (!isAfter) result = await this.tryAgain(doing, way);
        await doing.apply(result);
        doing.tidy?.();
    }

    // Somebody whom none of it concerns; all end with `revoke-all` and `secret revoke`.
    async stays({ name }) {
        const passes = await this.world.askRunning('gate', { target: '/private/page.html', cookie: this.resident.cookie });
        return passes.status === 204 || ['session revoke-all', 'secret revoke'].includes(name);
    }

    // There is room again.
    async tryAgain(doing, way) {
        const result = await perform(this.world, doing, way);
        assert.ok(doing.isAcknowledged(result), `with room again: ${result.answer.status} ${result.errors ?? ''}`);
        const { isAfter, text } = await ask(await doing.facts(result));
        assert.ok(isAfter, `with room again: ${text}`);
        return result;
    }

    // Each act with so many pages left.
    async sweep(numbers) {
        const { world } = this;
        for (const act of acts.filter(({ isFor }) => !isFor || isFor(world.store))) {
            for (const pages of numbers) {
                try {
                    await this.tryWith(act, pages);
                    if (!(await this.stays({}))) await this.bringResident();
                } catch (error) {
                    throw new Error(`${world.store} store, ${pages} pages left in the ${this.place} directory, ${act.name}: ` +
                        error.message, { cause: error });
                }
            }
        }
        assert.equal(await world.sql('PRAGMA integrity_check; PRAGMA foreign_key_check'), 'ok');
        return this.tally;
    }

    async close() {
        await this.world.install.service?.stop();
        this.disk.close();
        await this.world.close();
    }
}

// All stores side by side, with each of `numbers`, { place: numbers of pages }. Resolves to the tallies, or
// to the reasons why it cannot be.
export async function fillAll(numbers, say = () => {}) {
    const jobs = stores.flatMap((store) => Object.keys(numbers).map((place) => [store, place]));
    const tallies = {};
    await together(jobs.map(async ([store, place]) => {
        const full = new FullDisk(store, place);
        try {
            const name = `${store} store, ${place} directory`;
            tallies[name] = (await full.open()) ?? (await full.sweep(numbers[place]));
            say(name, tallies[name]);
        } finally {
            await full.close();
        }
    }));
    return tallies;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
    if (needsRoot) {
        console.log('skipped: only root may mount small file systems');
    } else {
        const pages = Number(process.env.PAGES || 40);
        const numbers = [...Array(pages + 1).keys()];
        await fillAll({ state: numbers, run: numbers }, (name, tally) => console.log(`${name}: ${JSON.stringify(tally)}`));
        console.log(`0 to ${pages} pages left: nothing acknowledged was lost, nothing was half done`);
    }
}
