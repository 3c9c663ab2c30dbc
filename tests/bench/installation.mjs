// Installations of Latchkey to be measured, with people who are signed in, and the null responders
// that they are compared with.
import {
    closeSync, existsSync, openSync, readSync, readdirSync, statSync, symlinkSync, writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { Service, until } from '../web/support/install.mjs';
import { family, named, run } from './measure.mjs';
import { makeFolder, program } from './scratch.mjs';

export const password = 'a password for the bench';
const cookiesMax = 100000; // of more sessions, so many are asked for; wrk holds each as a whole request
const cacheOfSession = 1000; // bytes: a full cache is not what is measured
const programs = ['login', 'logout', 'account', 'gate'];

const userName = () => spawnSync('id', ['-un'], { encoding: 'utf8' }).stdout.trim();

export class Installation {
    // `cheap`: passwords that cost next to nothing, where sign-ins are not what is measured.
    constructor(scratch, settings, { name, store = 'database', sessions, cheap = true, confinement = 'available' }) {
        Object.assign(this, { scratch, settings, name, store, sessions, cheap, confinement });
        this.folder = makeFolder(scratch.folder, name);
        this.state = path.join(this.folder, 'state');
        this.runFolder = path.join(this.folder, 'run');
        this.config = path.join(this.folder, 'latchkey.conf');
        this.env = { ...process.env, LATCHKEY_CONFIG: this.config };
    }

    // Fills it, once.
    make() {
        this.made ??= this.fill();
        return this.made;
    }

    async fill() {
        const { gateWorkers, loginWorkers } = this.settings;
        writeFileSync(this.config, `
[state]
directory = ${this.state}
run_directory = ${this.runFolder}
user = ${userName()}
[session]
secure_cookie = no
store = ${this.store}
[cache]
size = ${Math.max(64, Math.ceil(this.sessions * cacheOfSession / 1e6))}M
[workers]
gate = ${gateWorkers}
login = ${loginWorkers}
confinement = ${this.confinement}
${this.cheap ? '[password]\nmemory = 1M\npasses = 1' : ''}
[log]
level = warning
`);
        await run(program('bin/latchkey'), ['init'], { env: this.env });
        const output = await run(program('bench/seed'), [this.sessions, password, cookiesMax], { env: this.env });
        const tokens = output.split('\n').filter((line) => /^[\w-]{100,}$/.test(line));
        this.cookie = `latchkey=${tokens[0]}`;
        this.list = this.writeList('checks', tokens.map((token) => ['GET', `latchkey=${token}`, '']));
        this.databaseBytes = this.sizeOfDatabase();
    }

    // The database and what stands beside it, in bytes.
    sizeOfDatabase() {
        return readdirSync(this.state).filter((name) => name.startsWith('latchkey.db'))
            .reduce((sum, name) => sum + statSync(path.join(this.state, name)).size, 0);
    }

    // Has all that the stores hold in the memory of the machine, as it is where they are in use: a
    // kernel may take pages away that nobody used for a minute, and then a disk is measured.
    readThrough() {
        const part = Buffer.alloc(1 << 20);
        for (const file of [path.join(this.state, 'latchkey.db'), path.join(this.runFolder, 'cache.db')].filter(existsSync)) {
            const descriptor = openSync(file, 'r');
            while (readSync(descriptor, part) > 0);
            closeSync(descriptor);
        }
    }

    // For requests.lua; the name of the file.
    writeList(name, lines) {
        const file = path.join(this.folder, name);
        writeFileSync(file, lines.map((line) => `${line.join('\t')}\n`).join(''));
        return file;
    }

    get isServing() {
        return this.service?.isRunning ?? false;
    }

    // Its programs run; `alone`: and no other installation's.
    async serve({ alone = true } = {}) {
        await this.make();
        const others = [...this.scratch.services].filter((service) => service.isLatchkey && service !== this.service);
        if (alone) await this.scratch.stop(...others);
        if (this.isServing) return;
        this.service = this.scratch.keep(new Service(program('bin/latchkey'), ['serve'], { env: this.env }));
        this.service.isLatchkey = true;
        await until('the sockets', () => {
            if (!this.isServing) throw new Error(`serve ended:\n${this.service.output}`);
            return programs.every((name) => existsSync(path.join(this.runFolder, `${name}.sock`)));
        });
    }

    async stop() {
        if (this.service) await this.scratch.stop(this.service);
    }

    // All its processes.
    get pids() {
        return family(this.service.pid);
    }

    get gatePids() {
        return named(this.pids, 'gate');
    }

    // A folder of sockets for a web server where those of `replaced`, { program: socket }, are others.
    // (The pages behind it are these very programs, so that they can be busy at either.)
    makeSockets(name, replaced) {
        const folder = makeFolder(this.scratch.folder, `${name}-${this.name}-sockets`);
        for (const one of programs) {
            const link = path.join(folder, `${one}.sock`);
            if (!existsSync(link)) symlinkSync(replaced[one] ?? path.join(this.runFolder, `${one}.sock`), link);
        }
        return folder;
    }

    command(args, options) {
        return run(program('bin/latchkey'), args, { env: this.env, ...options });
    }
}

// Fills installations, so many at a time, the largest first. What is still to be written to the disk then
// is waited for, or it would hold up whoever is measured.
export async function makeAll(installations, atATime) {
    const waiting = [...installations].sort((a, b) => b.sessions - a.sessions);
    await Promise.all(Array.from({ length: atATime }, async () => {
        while (waiting.length > 0) await waiting.shift().make();
    }));
    await run('sync', []);
}

// A null responder; `bytes`: answers a page of that length instead of letting pass.
export async function startNull(scratch, processes, bytes) {
    const folder = makeFolder(scratch.folder, 'null');
    const socket = path.join(folder, `${readdirSync(folder).length}.sock`);
    const service = scratch.keep(new Service(program('bench/null_responder'),
        [socket, processes, ...(bytes === undefined ? [] : [bytes])]));
    await until('the null responder', () => {
        if (!service.isRunning) throw new Error(`the null responder ended:\n${service.output}`);
        return existsSync(socket);
    });
    return Object.assign(service, { socket });
}
