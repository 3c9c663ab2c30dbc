// Programs that end at a chosen one of their calls, as by kill -9 (crash.c).
import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { makeLibrary } from '../web/support/preload.mjs';

const size = 40; // struct control of crash.c: left, mode, calls, program
const [atLeft, atMode, atCalls, atProgram] = [0, 8, 16, 24];

export const modes = { before: 0, after: 1, half: 2 };

export class Crash {
    // Programs that get `env` are under its hand.
    constructor(folder, name) {
        const file = path.join(folder, `crash-${name}`);
        writeFileSync(file, Buffer.alloc(size));
        this.file = openSync(file, 'r+');
        this.env = { LD_PRELOAD: makeLibrary(folder, 'tests/crash/crash.c'), LATCHKEY_TEST_CRASH: file };
    }

    // The next program of that name ends at its `left`-th call from now; 0: it is counted only.
    arm(program, left, mode = 'before') {
        const control = Buffer.alloc(size);
        control.writeBigInt64LE(BigInt(left), atLeft);
        control.writeBigInt64LE(BigInt(modes[mode]), atMode);
        control.write(program, atProgram, 15, 'latin1');
        writeSync(this.file, control, 0, size, 0);
    }

    disarm() {
        this.arm('', 0);
    }

    // Calls since it was armed.
    get calls() {
        const control = Buffer.alloc(size);
        readSync(this.file, control, 0, size, 0);
        return Number(control.readBigInt64LE(atCalls));
    }

    close() {
        closeSync(this.file);
    }
}
