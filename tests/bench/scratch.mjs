// The folder of a run, and what runs in it. Everything listens there or at a port that was free, so
// that no installation of this machine is touched, and all of it goes away in the end.
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../web/support/install.mjs';
import { stopCommands } from './measure.mjs';

const patience_ms = 10000;

export const build = path.resolve(root, process.env.BUILD ?? 'build');
export const program = (name) => path.join(build, name);

export function makeFolder(...parts) {
    const name = path.join(...parts);
    mkdirSync(name, { recursive: true, mode: 0o755 });
    chmodSync(name, 0o755);
    return name;
}

export class Scratch {
    constructor() {
        this.folder = makeFolder(mkdtempSync(path.join(os.tmpdir(), 'latchkey-bench-')));
        this.services = new Set();
    }

    // Has a Service stopped at the end, if it is not before.
    keep(service) {
        this.services.add(service);
        return service;
    }

    async stop(...services) {
        await Promise.all(services.map(async (service) => {
            this.services.delete(service);
            const ended = service.stop();
            const late = sleep(patience_ms, undefined, { ref: false }).then(() => service.stop('SIGKILL'));
            await Promise.race([ended, late]);
        }));
    }

    async close() {
        stopCommands();
        await this.stop(...this.services);
        rmSync(this.folder, { recursive: true, force: true });
    }
}

// The whole of a bench: `work` gets a Scratch, which is put away after it, also after Ctrl-C, and
// resolves to the exit status; 2 when it could not be measured.
export async function runBench(name, work) {
    const scratch = new Scratch();
    let interrupted = false;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
        process.once(signal, async () => {
            interrupted = true;
            await scratch.close();
            process.exit(128 + os.constants.signals[signal]);
        });
    }
    try {
        process.exitCode = await work(scratch);
    } catch (error) {
        if (interrupted) return; // the rest is being put away, and ends us
        console.error(`${name}: ${error.message}`);
        process.exitCode = 2;
    }
    if (!interrupted) await scratch.close();
}
