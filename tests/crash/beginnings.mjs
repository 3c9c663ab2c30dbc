// Killed while an installation comes into being or is brought to the structure of a newer version:
// each step of the structure is there wholly or not at all, and the next try ends well.
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { runToEnd } from '../web/support/child.mjs';
import { plainLatchkey } from '../web/support/install.mjs';
import { bringTo, steps } from '../web/support/structure.mjs';
import { Crash, modes } from './crash.mjs';
import { World } from './world.mjs';

const first = 2; // the structure that databases are brought from
const sessions = 300;

// People, sessions and what these remember, in the structure of the second step.
const content = `
INSERT INTO user VALUES (7, 'alice', 'Alice', '', 'staff', '$h$', zeroblob(32), 0, 1, 1);
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${sessions - 1})
INSERT INTO session SELECT CAST(printf('%08d%024d', i * 7919 % 100003, i) AS BLOB), 7, zeroblob(32), 1000 + i, 2000 + i, 60, 3000 + i,
    i % 2, '192.0.2.' || i % 250, 'browser ' || i % 5 FROM n;
INSERT INTO session_data SELECT key, 'cart', zeroblob(100) FROM session;
`;

const pick = (list) => list[Math.floor(Math.random() * list.length)];

export class Beginnings {
    constructor() {
        this.world = new World('database', false);
        this.tally = { kills: 0, 'kills of init': 0, 'kills of migrate': 0, undone: 0, half: 0, done: 0 };
        this.calls = {};
    }

    get file() {
        return this.world.database;
    }

    // A database of each structure, and its content as text.
    async open() {
        const { world } = this;
        this.crash = new Crash(world.install.makeFolder('crash'), 'beginnings');
        this.old = path.join(world.install.folder, 'old.db');
        this.texts = {};
        for (let to = first; to <= steps.length; to++) {
            const file = to === first ? this.old : `${this.old}.${to}`;
            if (to > first) copyFileSync(this.old, file);
            await world.sql(bringTo(to, to === first ? { content } : { from: first }), file);
            this.texts[to] = await this.dump(file);
        }
        return this;
    }

    async close() {
        this.crash.close();
        return this.world.close();
    }

    // The whole content of a database.
    dump(file) {
        return this.world.sql('.dump', file);
    }

    clear() {
        for (const folder of [this.world.install.state, this.world.install.run]) rmSync(folder, { recursive: true, force: true });
    }

    // Runs the command until it is killed, at some call or at that one, or not; whether it was.
    async strike(name, call) {
        const calls = this.calls[name] ?? 0;
        this.crash.arm('latchkey', call ?? (calls > 0 ? 1 + Math.floor(Math.random() * calls) : 0), pick(Object.keys(modes)));
        const { status, errors } = await runToEnd([plainLatchkey, name], { env: { ...this.world.env, ...this.crash.env } });
        if (status !== 'SIGKILL') {
            assert.equal(status, 0, errors);
            this.calls[name] = this.crash.calls;
        } else {
            this.tally.kills++;
            this.tally[`kills of ${name}`]++;
        }
        return status === 'SIGKILL';
    }

    async migrateOnce() {
        this.clear();
        mkdirSync(this.world.install.state, { mode: 0o700 });
        copyFileSync(this.old, this.file);
        const isKilled = await this.strike('migrate');
        const version = Number(await this.world.sql('PRAGMA user_version'));
        assert.equal(await this.world.sql('PRAGMA integrity_check; PRAGMA foreign_key_check'), 'ok');
        assert.equal(await this.dump(this.file), this.texts[version], `structure ${version} is not whole`);
        assert.ok(isKilled || version === steps.length);
        this.tally[version === first ? 'undone' : version === steps.length ? 'done' : 'half'] += isKilled;
        await this.world.do(['migrate']);
        assert.equal(await this.dump(this.file), this.texts[steps.length]);
    }

    async initOnce(call) {
        this.clear();
        const isKilled = await this.strike('init', call);
        const secret = path.join(this.world.install.state, 'secret');
        if (existsSync(secret)) assert.equal(this.world.readSecrets().length, 1);
        await this.world.do(['init']);
        assert.equal(this.world.readSecrets().length, 1);
        this.world.users.clear();
        await this.world.renewForm();
        const session = await this.world.signIn(await this.world.addUser());
        assert.equal(await this.world.passes(session), true);
        await this.world.checkWhole();
        return isKilled;
    }

    // Killed at every `step`-th call.
    async initAtEach(step) {
        for (let call = 1; await this.initOnce(call); call += step);
    }

    async strikeUntil(kills) {
        while (this.tally.kills < kills) {
            await (this.tally['kills of init'] <= this.tally['kills of migrate'] ? this.initOnce() : this.migrateOnce());
        }
        return this.tally;
    }
}
