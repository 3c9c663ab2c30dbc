// A clock for the programs of an installation, which a test may move while they run.
import { spawnSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { programs, root } from './install.mjs';

// The programs as they are installed: before sanitized ones nothing can be preloaded.
export const plainLatchkey = path.join(programs, '../../bin/latchkey');

export class Clock {
    constructor(install) {
        this.library = path.join(install.folder, 'clock.so');
        this.file = path.join(install.folder, 'clock');
        const source = path.join(root, 'tests/web/support/clock.c');
        const made = spawnSync(process.env.CC ?? 'cc', ['-shared', '-fPIC', '-O1', '-o', this.library, source],
            { encoding: 'utf8' });
        if (made.status !== 0) throw new Error(`cannot compile ${source}: ${made.stderr ?? made.error}`);
        this.shift(0);
    }

    get env() {
        return { LD_PRELOAD: this.library, LATCHKEY_TEST_CLOCK: this.file };
    }

    // The programs' time, in seconds.
    get now() {
        return Math.floor(Date.now() / 1000) + this.offset;
    }

    // Lets the programs' clock differ from the true time.
    shift(seconds) {
        this.offset = Math.round(seconds);
        writeFileSync(`${this.file}.new`, String(this.offset));
        renameSync(`${this.file}.new`, this.file);
    }

    set(time) {
        this.shift(time - Date.now() / 1000);
    }

    pass(seconds) {
        this.shift(this.offset + seconds);
    }
}
