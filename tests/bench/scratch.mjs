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
