// An installation of Latchkey in a scratch folder: configuration, users, running programs.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../../..');
const build = path.resolve(root, process.env.BUILD ?? 'build');

// The sanitized programs, so that a fault that a test only brushes against ends it.
export const programs = path.join(build, 'san', 'cgi-bin');
export const latchkey = path.join(build, 'san', 'bin', 'latchkey');
// As they are installed, for what the sanitizers would hide or forbid.
export const plainPrograms = path.join(build, 'cgi-bin');
export const plainLatchkey = path.join(build, 'bin', 'latchkey');
export const plainExamples = path.join(build, 'examples');

export const alice = { name: 'alice', password: 'correct horse battery staple' };
export const bob = { name: 'bob', password: 'another long sentence of words' };

// Waits until `condition` gives something true; fails after `ms`.
export async function until(what, condition, ms = 15000) {
    const end = Date.now() + ms;
    for (;;) {
        const result = await condition();
        if (result) return result;
        if (Date.now() > end) throw new Error(`gave up waiting for ${what}`);
        await sleep(20);
    }
}

// What has ended and only waits to be reaped, by a slow init perhaps, does not live.
export function isAlive(pid) {
    try {
        return !/^[ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, ''));
    } catch {
        return false;
    }
}

// A child process whose output is kept; `stop` ends it and waits.
export class Service {
    constructor(command, args, options = {}) {
        this.name = path.basename(command);
        this.output = '';
        this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
        for (const stream of [this.child.stdout, this.child.stderr]) {
            stream?.setEncoding('utf8').on('data', (text) => { this.output += text; });
        }
        this.ended = new Promise((resolve) => {
            this.child.on('error', (error) => resolve(String(error)));
            this.child.on('close', (code, signal) => resolve(code ?? signal));
        });
    }

    get pid() {
        return this.child.pid;
    }

    get isRunning() {
        return this.child.exitCode === null && this.child.signalCode === null;
    }

    async stop(signal = 'SIGTERM') {
        if (this.isRunning) this.child.kill(signal);
        return this.ended;
    }
}

export class Install {
    // `settings` is { section: { key: value } } over cheap hashes and plain http; `command` may be
    // another build's.
    constructor(settings = {}, command = latchkey) {
        this.command = command;
        this.folder = mkdtempSync(path.join(tmpdir(), 'latchkey-web-'));
        chmodSync(this.folder, 0o755);
        this.state = path.join(this.folder, 'state');
        this.run = path.join(this.folder, 'run');
        this.config = path.join(this.folder, 'latchkey.conf');
        this.env = { ...process.env, LATCHKEY_CONFIG: this.config };
        this.settings = settings;
        this.configure(settings);
    }

    configure(settings) {
        const all = {
            site: { name: 'Test & Site' },
            state: { directory: this.state, run_directory: this.run, user: userName() },
            session: { secure_cookie: 'no' },
            password: { memory: '1M', passes: '1' },
        };
        for (const [section, keys] of Object.entries(settings)) {
            all[section] = { ...all[section], ...keys };
        }
        const lines = Object.entries(all).map(([section, keys]) =>
            `[${section}]\n` + Object.entries(keys).map(([key, value]) => `${key} = ${value}\n`).join(''));
        writeFileSync(this.config, lines.join('\n'));
    }

    // Runs the command; returns { status, stdout, stderr }.
    try(args, input = '') {
        return spawnSync(this.command, args, { env: this.env, input, encoding: 'utf8' });
    }

    // The same for what must work.
    do(args, input = '') {
        const result = this.try(args, input);
        if (result.status !== 0) {
            throw new Error(`latchkey ${args.join(' ')}: ${result.status}\n${result.stderr}`);
        }
        return result.stdout;
    }

    addUser(user, ...options) {
        this.do(['user', 'add', user.name, '--password-stdin', ...options], `${user.password}\n`);
    }

    init() {
        this.do(['init']);
        this.addUser(alice, '--name', 'Alice Example', '--email', 'alice@example.org', '--group', 'staff');
        this.addUser(bob, '--name', 'Bob <b>&"', '--group', 'guests');
        return this;
    }

    socket(program) {
        return path.join(this.run, `${program}.sock`);
    }

    // `command` may be another build's; `env` is added to that of the programs.
    async serve({ command = this.command, env = {} } = {}) {
        this.service = new Service(command, ['serve'], { env: { ...this.env, ...env } });
        await until('the sockets', () => {
            if (!this.service.isRunning) throw new Error(`serve ended:\n${this.service.output}`);
            return this.service.output.includes('ready:');
        });
        return this;
    }

    // What the programs logged so far.
    get log() {
        return this.service?.output ?? '';
    }

    async close() {
        const status = await this.service?.stop();
        rmSync(this.folder, { recursive: true, force: true });
        // A report of a sanitizer in any program fails the test that caused it, at the latest here.
        if (/ERROR: (Address|Leak)Sanitizer|LeakSanitizer has encountered|runtime error:/.test(this.log)) {
            throw new Error(`a sanitizer complains:\n${this.log}`);
        }
        return status;
    }

    makeFolder(...parts) {
        const folder = path.join(this.folder, ...parts);
        mkdirSync(folder, { recursive: true, mode: 0o755 });
        return folder;
    }
}

function userName() {
    return spawnSync('id', ['-un'], { encoding: 'utf8' }).stdout.trim();
}
