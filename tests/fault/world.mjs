// One installation under test: its programs, started with the library before them, and whoever asks
// them at their sockets, without a web server between.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { runToEnd } from '../web/support/child.mjs';
import { askFastcgi, required, sanitizers } from '../web/support/direct.mjs';
import { formType } from '../web/support/forms.mjs';
import { Browser } from '../web/support/http.mjs';
import { Install, alice, latchkey, plainLatchkey, plainPrograms, programs, until } from '../web/support/install.mjs';
import { countProcesses, findWorkers } from '../web/support/processes.mjs';
import { settingsFor } from '../web/support/stores.mjs';
import { Plan } from './plan.mjs';

// Where to sync costs nothing: there are tens of thousands of commits.
if (existsSync('/dev/shm')) process.env.TMPDIR ??= '/dev/shm';

const workers = { login: 1, logout: 1, account: 1, gate: 1 };
const html = 'text/html,application/xhtml+xml,*/*;q=0.8';
export const library = path.join(programs, '../../fault/libfault.so');

// What does not end by itself is told from what was killed.
export const patience = { kill_ms: 60000, signal: 'SIGALRM' };

// How each build is started: the sanitizer's own functions stand behind the library's.
export const builds = {
    plain: { command: plainLatchkey, cgi: plainPrograms, env: {} },
    sanitized: {
        command: latchkey, cgi: programs,
        env: { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? 'abort_on_error=1:detect_leaks=1'}:verify_asan_link_order=0:quarantine_size_mb=4` },
    },
};

export class World {
    constructor(store, build = 'plain') {
        this.store = store;
        this.build = build;
        this.install = new Install(settingsFor(store, { workers, throttle: { attempts: '1000000' } }));
        this.plan = new Plan(path.join(this.install.folder, 'faults'));
        this.env = { LD_PRELOAD: library, LATCHKEY_TEST_FAULTS: this.plan.file, ...sanitizers(), ...builds[build].env };
        this.users = 0;
    }

    async start() {
        this.install.init();
        await this.install.serve({ command: builds[this.build].command, env: this.env });
        return this;
    }

    async close() {
        const status = await this.install.close();
        this.plan.close();
        return status;
    }

    // Runs the command as it is installed, without faults and at the programs' time; what it prints.
    run(args, input = '') {
        const env = { ...this.install.env, LD_PRELOAD: library, LATCHKEY_TEST_FAULTS: this.plan.file };
        const result = spawnSync(plainLatchkey, args, { env, input, encoding: 'utf8' });
        if (result.status !== 0) throw new Error(`latchkey ${args.join(' ')}: ${result.status} ${result.stderr}`);
        return result.stdout;
    }

    sql(text, file = 'latchkey.db') {
        const result = spawnSync('sqlite3', ['-bail', '-cmd', '.timeout 5000', path.join(this.install.state, file)], { input: text, encoding: 'utf8' });
        if (result.status !== 0) throw new Error(`sqlite3: ${result.stderr}`);
        return result.stdout.trim();
    }

    // What must hold whatever failed before.
    audit() {
        const found = this.sql('PRAGMA integrity_check; PRAGMA foreign_key_check');
        if (found !== 'ok') throw new Error(`the database is not sound: ${found}`);
        this.run(['audit', 'verify']);
    }

    pids(program) {
        return findWorkers(this.install, program);
    }

    // The worker alone, not the porter.
    async settled(program) {
        return until(`the processes of ${program}`, () => {
            const pids = this.pids(program);
            return pids.length === countProcesses(program, workers[program]) && pids;
        }, 30000);
    }

    // Descriptors and resident kilobytes of a program's processes.
    measure(program) {
        return this.pids(program).map((pid) => ({
            pid,
            descriptors: readdirSync(`/proc/${pid}/fd`).length,
            kilobytes: Number(/^Pss_Anon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0),
        }));
    }

    async signedIn(user = alice) {
        const client = new Client(this);
        const answer = await client.signIn(user);
        if (answer.status !== 303) throw new Error(`a sign-in without a fault was answered with ${answer.status}`);
        return client;
    }

    // A program run as CGI, to its end.
    cgi(program, variables, input) {
        const env = { LATCHKEY_CONFIG: this.install.config, ...this.env, ...variables };
        return runToEnd([path.join(builds[this.build].cgi, program)], { env, input, ...patience });
    }
}

const pages = { login: 'login', logout: 'logout', account: 'account', session: 'account' };

// A browser that asks the programs themselves.
export class Client extends Browser {
    constructor(world) {
        super(0);
        this.world = world;
    }

    // What a web server says of a request, and which program it asks.
    describe(target, { method = 'GET', headers = {}, body, more = {} } = {}) {
        const page = /^\/auth\/(\w+)/.exec(target)?.[1];
        const cookie = headers.cookie ?? this.cookie;
        return {
            program: pages[page] ?? 'gate',
            variables: {
                ...required, REQUEST_METHOD: method, REQUEST_URI: target, SCRIPT_NAME: target.split('?')[0],
                QUERY_STRING: target.split('?')[1] ?? '', HTTP_HOST: 'localhost', SERVER_NAME: 'localhost', HTTP_ACCEPT: html,
                ...(cookie !== '' && { HTTP_COOKIE: cookie }),
                ...(body !== undefined && { CONTENT_TYPE: formType, CONTENT_LENGTH: String(Buffer.byteLength(body)) }),
                ...more,
            },
        };
    }

    async fetch(target, options = {}) {
        const { program, variables } = this.describe(target, options);
        return this.keep(await askFastcgi(this.world.install.socket(program), variables, options.role,
            { body: options.body, timeout: options.timeout ?? 60000 }));
    }

    // Asks the gate as a script does, which is never sent through the login page for a renewed token.
    check({ more, ...options } = {}) {
        return this.fetch('/private/page.html', { more: { HTTP_ACCEPT: 'application/json', ...more }, ...options });
    }

    copy() {
        const other = new Client(this.world);
        other.jar = new Map(this.jar);
        return other;
    }
}
