// A clock for the programs of an installation, which a test may move while they run.
import { spawnSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { plainLatchkey, until } from './install.mjs';
import { makeLibrary } from './preload.mjs';

// Of programs as they are installed: before sanitized ones nothing can be preloaded.
export class Clock {
    constructor(install) {
        this.library = makeLibrary(install.folder, 'tests/web/support/clock.c');
        // Where programs that are confined can read it.
        this.file = path.join(install.run ?? install.folder, 'clock');
        this.passed = 0;
        this.shift(0);
    }

    get env() {
        return { LD_PRELOAD: this.library, LATCHKEY_TEST_CLOCK: this.file };
    }

    // The programs' time, in seconds.
    get now() {
        return Math.floor(Date.now() / 1000) + this.offset;
    }

    // Lets the programs' clock differ from the true time: it steps.
    shift(seconds) {
        this.offset = Math.round(seconds);
        writeFileSync(`${this.file}.new`, `${this.offset} ${this.passed}`);
        renameSync(`${this.file}.new`, this.file);
    }

    set(time) {
        this.shift(time - Date.now() / 1000);
    }

    // Lets time go by, for clocks of all kinds. Back, it is a step.
    pass(seconds) {
        this.passed += Math.max(Math.round(seconds), 0);
        this.shift(this.offset + seconds);
    }
}

// For forEachStore: programs with a clock, which is at.clock.
export const clocked = {
    serve: (at) => {
        at.clock = new Clock(at.install);
        return { command: plainLatchkey, env: at.clock.env };
    },
};

// Runs the command under that clock; what it prints.
export function runAt(at, args, input = '') {
    const result = spawnSync(plainLatchkey, args, { env: { ...at.install.env, ...at.clock.env }, input, encoding: 'utf8' });
    if (result.status !== 0) throw new Error(`latchkey ${args.join(' ')}: ${result.status}\n${result.stderr}`);
    return result.stdout;
}

// Waits until the use of a session right now is written, which no answer waits for.
export const noted = (at, user) => until('the use to be noted', () =>
    JSON.parse(runAt(at, ['session', 'list', user.name, '--json'])).some(({ seen }) => at.clock.now - seen < 20));

export const minute = 60;
export const hour = 60 * minute;
export const day = 24 * hour;
