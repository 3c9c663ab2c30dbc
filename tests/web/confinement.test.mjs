// What the running programs gave up: somebody who took one over, a preloaded library here, finds
// that other programs, files, networks and the users in the database are out of reach.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, cpSync, fchmodSync, openSync, readFileSync, readSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { required, runCgi } from './support/direct.mjs';
import { signedIn } from './support/forms.mjs';
import { Install, isAlive, plainLatchkey, plainPrograms, until } from './support/install.mjs';
import { makeLibrary } from './support/preload.mjs';
import { copyPrograms, findProgram, findWorkers, hasPorter } from './support/processes.mjs';
import { lighttpd } from './support/servers.mjs';

const workers = { login: 1, logout: 1, account: 1, gate: 1 };
const half = 4096;
const EPERM = 1;
const ENOMEM = 12;
const EACCES = 13;
const SQLITE_AUTH = 23;
const noConnection = -1;

const status = (pid, key) => new RegExp(`^${key}:\\s*(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];

class Trespasser {
    constructor(install) {
        this.file = path.join(install.folder, 'trespass');
        this.page = openSync(this.file, 'w+');
        fchmodSync(this.page, 0o666);
        writeSync(this.page, Buffer.alloc(2 * half), 0, 2 * half, 0);
        this.env = {
            LD_PRELOAD: makeLibrary(install.folder, 'tests/web/support/trespass.c', '-lsqlite3'),
            LATCHKEY_TEST_TRESPASS: this.file,
        };
    }

    // What came of a deed within a process: { result, errno }, or { killed: true }.
    async try(pid, deed) {
        await until('the filter', () => status(pid, 'Seccomp') === '2');
        const text = Buffer.alloc(2 * half);
        text.write(`${deed}\n`);
        writeSync(this.page, text, 0, text.length, 0);
        process.kill(pid, 'SIGUSR2');
        return until(`${deed} in ${pid}`, () => {
            const answer = Buffer.alloc(64);
            readSync(this.page, answer, 0, answer.length, half);
            const [, result, errno] = /^(-?\d+) (\d+)\0/.exec(answer.toString('latin1')) ?? [];
            if (result !== undefined) return { result: Number(result), errno: Number(errno) };
            return !isAlive(pid) && { killed: true };
        });
    }

    close() {
        closeSync(this.page);
    }
}

const killed = { killed: true };
const refused = (errno) => ({ result: -1, errno });

// What nobody may do, and what becomes of who tries. With the installation's paths.
const everywhere = (install) => ({
    'read /etc/passwd': refused(EACCES),
    [`read ${install.config}`]: refused(EACCES),
    'read /proc/self/mem': refused(EACCES),
    'make /tmp/latchkey-trespass': refused(EACCES),
    [`folder ${install.state}/new`]: refused(EPERM),
    inet: refused(EPERM),
    stream: refused(EPERM),
    map: refused(EPERM),
    memory: refused(ENOMEM),
    protect: refused(EPERM),
    signal: refused(EPERM),
    own: refused(EPERM),
    async: refused(EPERM),
    [`set-id ${install.run}/tool`]: refused(EPERM),
    [`lend ${install.run}/tool`]: refused(EPERM),
    [`open-up ${install.run}`]: refused(EPERM),
    'exec /bin/true': killed,
    fork: killed,
    'connect /dev/log': killed,
    trace: killed,
});

// What a program's own connection to the database must refuse.
const statements = {
    gate: ['SELECT hash FROM user', "UPDATE user SET hash = ''", "UPDATE user SET groups = 'admin'",
        "INSERT INTO user (name) VALUES ('eve')", 'DELETE FROM user', "UPDATE user SET salt = x'00'",
        'SELECT * FROM throttle', 'DELETE FROM audit', 'DROP TABLE user', 'PRAGMA writable_schema = ON',
        "ATTACH '/tmp/x' AS x"],
    logout: ['SELECT hash FROM user', "UPDATE user SET hash = ''", "UPDATE user SET groups = 'admin'",
        "INSERT INTO user (name) VALUES ('eve')", 'DELETE FROM user', 'DROP TABLE user'],
    login: ["UPDATE user SET groups = 'admin'", "UPDATE user SET name = 'eve'", "INSERT INTO user (name) VALUES ('eve')",
        'DELETE FROM user', 'DROP TABLE user'],
    account: ["UPDATE user SET groups = 'admin'", "UPDATE user SET name = 'eve'",
        "INSERT INTO user (name) VALUES ('eve')", 'DELETE FROM user', 'DROP TABLE user'],
};

const isRoot = process.getuid() === 0;

// Has a worker of each program open its database.
async function useAll(port) {
    const browser = await signedIn(port);
    assert.equal((await browser.fetch('/private/page.html')).status, 200);
    const wrong = { current: 'wrong', new: 'wrong', again: 'wrong' };
    assert.equal((await browser.submit('/auth/account/password', wrong)).status, 403);
    assert.equal((await browser.signOut()).status, 303);
}

const newest = (install, name) => until(`a worker of ${name}`, () => findWorkers(install, name).at(-1));

describe('a program that somebody took over', () => {
    let install;
    let trespasser;
    let web;

    before(async () => {
        install = new Install({ workers: { ...workers, confinement: 'required' }, ...(isRoot && { state: { user: 'nobody' } }) }).init();
        trespasser = new Trespasser(install);
        await install.serve({ command: isRoot ? copyPrograms(install, plainLatchkey) : plainLatchkey, env: trespasser.env });
        web = await lighttpd.start(install);
    });
    after(async () => {
        await web?.stop();
        trespasser?.close();
        assert.equal(await install?.close(), 0);
    });

    for (const name of Object.keys(workers)) {
        it(`${name}: all processes that serve are confined`, async () => {
            const pids = findWorkers(install, name);
            assert.equal(pids.length, hasPorter(name) ? 2 : 1);
            for (const pid of pids) {
                await until('the filter', () => status(pid, 'Seccomp') === '2');
                assert.equal(status(pid, 'NoNewPrivs'), '1');
            }
        });

        it(`${name}: files, networks, other programs are out of reach`, async () => {
            for (const [deed, wanted] of Object.entries(everywhere(install))) {
                const pid = await newest(install, name);
                await until('the filter', () => status(pid, 'Seccomp') === '2');
                assert.deepEqual(await trespasser.try(pid, deed), wanted, deed);
                if (wanted.killed) await until('another worker', async () => (await newest(install, name)) !== pid);
            }
        });

        it(`${name}: the porter is confined like a worker`, { skip: !hasPorter(name) }, async () => {
            const pid = findWorkers(install, name)[0];
            assert.deepEqual(await trespasser.try(pid, 'read /etc/passwd'), refused(EACCES));
            assert.deepEqual(await trespasser.try(pid, 'exec /bin/true'), killed);
            await until('another porter', () => !findWorkers(install, name).includes(pid) && findWorkers(install, name).length === 2);
        });

        it(`${name}: what it may, it still can`, async () => {
            const pid = await newest(install, name);
            const { result } = await trespasser.try(pid, `read ${path.join(install.state, 'secret')}`);
            assert.ok(result >= 0, 'the secret file is what each program has to read');
        });

        it(`${name}: its connection changes no user and shows no more than it needs`, async () => {
            await useAll(web.port);
            let connected = 0;
            for (const pid of findWorkers(install, name)) {
                const { result } = await trespasser.try(pid, 'sql SELECT count(*) FROM session');
                if (result === noConnection) continue;
                assert.equal(result, 0);
                connected++;
                for (const statement of statements[name]) {
                    assert.equal((await trespasser.try(pid, `sql ${statement}`)).result, SQLITE_AUTH, statement);
                }
            }
            assert.ok(connected > 0);
        });
    }

    it('is told of in the log, by what it did', () => {
        const told = install.log.match(/worker \d+ was killed, for it made a system call that it may not make/g);
        const deeds = Object.values(everywhere(install)).filter((wanted) => wanted.killed).length;
        assert.equal(told?.length, deeds * Object.keys(workers).length + 2);
    });

    it('and everybody is served on', async () => {
        const browser = await signedIn(web.port);
        assert.equal((await browser.fetch('/private/page.html')).status, 200);
    });
});

describe('confined programs', () => {
    let install;
    let web;

    const serve = async (more = {}) => {
        install = new Install({ workers, ...(isRoot && { state: { user: 'nobody' } }) }).init();
        await install.serve({ command: isRoot ? copyPrograms(install, plainLatchkey) : plainLatchkey, ...more });
        web = await lighttpd.start(install);
    };
    afterEach(async () => {
        await web?.stop();
        web = undefined;
        await install?.close();
    });

    it('are not to be looked at by a debugger of their own user', { skip: !isRoot && 'not root' }, async () => {
        await serve();
        const read = (pid) => spawnSync('setpriv', ['--reuid=nobody', '--regid=nogroup', '--clear-groups', 'cat', `/proc/${pid}/environ`]).status;
        assert.equal(read(findProgram(install, 'gate')), 0, 'what starts them holds no secret, and can be looked at');
        for (const name of Object.keys(workers)) {
            for (const pid of findWorkers(install, name)) {
                await until('the filter', () => status(pid, 'Seccomp') === '2');
                assert.notEqual(read(pid), 0, name);
            }
        }
    });

    it('make room for others when their folder is another one', async () => {
        await serve();
        await useAll(web.port);
        renameSync(install.state, `${install.state}.old`);
        cpSync(`${install.state}.old`, install.state, { recursive: true, preserveTimestamps: true });
        if (isRoot) spawnSync('chown', ['-R', 'nobody', install.state]);
        await until('all to serve again', () => useAll(web.port).then(() => true, () => false));
        assert.match(install.log, /gate\[\d+\]: warning: a folder was replaced by another one/);
    });

    it('are confined as CGI as well, before they answer', () => {
        install = new Install().init();
        const trace = path.join(install.run, 'trace');
        const { status: ended } = spawnSync('strace',
            ['-o', trace, '-e', 'trace=landlock_restrict_self,seccomp,write', path.join(plainPrograms, 'gate')],
            { env: { LATCHKEY_CONFIG: install.config, ...required } });
        assert.equal(ended, 0);
        const calls = readFileSync(trace, 'utf8').split('\n').map((line) => line.replace(/\s+/g, ' '));
        const find = (pattern) => calls.findIndex((call) => pattern.test(call));
        const order = [/^landlock_restrict_self\(.*= 0$/, /^seccomp\(SECCOMP_SET_MODE_FILTER.*= 0$/, /^write\(1, "Status: 401/].map(find);
        assert.ok(order[0] >= 0 && order[0] < order[1] && order[1] < order[2], calls.join('\n'));
    });
});

describe('where the kernel confines nobody', () => {
    for (const [without, layer] of [['landlock', 'files (Landlock)'], ['seccomp', 'system calls (seccomp)']]) {
        const make = (confinement) => {
            const install = new Install({ workers: { ...workers, ...(confinement && { confinement }) } }).init();
            const env = {
                LD_PRELOAD: makeLibrary(install.folder, 'tests/web/support/no_sandbox.c'),
                LATCHKEY_TEST_WITHOUT: without,
            };
            const check = () => spawnSync(plainLatchkey, ['check'], { env: { ...install.env, ...env }, encoding: 'utf8' });
            return { install, env, check };
        };

        it(`it is said once, and served, without ${without}`, async () => {
            const { install, env, check } = make();
            try {
                await install.serve({ command: plainLatchkey, env });
                const pid = await newest(install, 'gate');
                await until('a confined worker', () => status(pid, 'NoNewPrivs') === '1');
                const told = () => install.log.split(`less confined than they could be: ${layer}`).length - 1;
                await until('all to say so', () => told() === Object.keys(workers).length);
                const { status: exit, stdout } = check();
                assert.equal(exit, 0, stdout);
                assert.ok(stdout.includes(`warning: confinement: ${layer} cannot be had`), stdout);
            } finally {
                await install.close();
            }
        });

        it(`nothing starts where it is required, without ${without}`, async () => {
            const { install, env, check } = make('required');
            try {
                await install.serve({ command: plainLatchkey, env });
                assert.equal(await install.service.ended, 1);
                assert.ok(install.log.includes(`workers.confinement = required, but processes cannot be confined here: ${layer}`));
                const { status: exit, stdout } = check();
                assert.equal(exit, 1, stdout);
                assert.ok(stdout.includes(`error: confinement: ${layer} cannot be had`), stdout);
                const answer = runCgi(install, 'gate', { ...required, ...env }, { folder: plainPrograms });
                assert.equal(answer.status, 500);
            } finally {
                await install.close();
            }
        });
    }

    it('and none starts as root where it is required', { skip: !isRoot && 'not root' }, async () => {
        const install = new Install({ workers: { ...workers, confinement: 'required' } }).init();
        try {
            await install.serve({ command: plainLatchkey });
            assert.equal(await install.service.ended, 1);
            assert.match(install.log, /workers.confinement = required, but this was started as root/);
            const answer = runCgi(install, 'gate', required, { folder: plainPrograms });
            assert.equal(answer.status, 500);
        } finally {
            await install.close();
        }
    });

    it('a switch turns it off, and is warned of', async () => {
        const install = new Install({ workers: { ...workers, confinement: 'off' } }).init();
        try {
            await install.serve({ command: plainLatchkey });
            const pid = await newest(install, 'gate');
            assert.equal(status(pid, 'Seccomp'), '0');
            assert.match(install.try(['check']).stdout, /^warning: confinement: workers.confinement = off/m);
        } finally {
            await install.close();
        }
    });
});
