// What the kernel writes down of a program that crashes: no core file; and if it is made to write one, none of the
// program's memory is in it.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { required } from './support/direct.mjs';
import { formType } from './support/forms.mjs';
import { Install, Service, isAlive, plainLatchkey, plainPrograms, until } from './support/install.mjs';
import { findInMemory, pieces, readSecret } from './support/memory.mjs';
import { makeLibrary } from './support/preload.mjs';
import { children, countProcesses } from './support/processes.mjs';
import { workers } from './support/stores.mjs';
import { isRoot } from './support/unprivileged.mjs';

const canary = 'a-password-that-stands-nowhere-else-4711';
const needles = pieces('the password', canary);

// Where the kernel writes core files into the folder of the process, there they can be looked for.
const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim();
const skip = !isRoot ? 'only root may look into such processes'
    : !/^[^|/]/.test(pattern) && `core files of this machine go to "${pattern}"`;

describe('core files', { skip, concurrency: 1 }, () => {
    let install;
    let folder;
    let library;

    // Runs a command there, with core files allowed. With `forced`, it cannot forbid them either.
    const start = (command, args, { forced = false, env = install.env, stdin = 'pipe' } = {}) => new Service('sh',
        ['-c', 'ulimit -c unlimited; cd "$1" && shift && exec env "$@"', 'sh', folder,
            ...(forced ? [`LD_PRELOAD=${library}`] : []), command, ...args],
        { env, stdio: [stdin, 'pipe', 'pipe'] });

    // The core files written since the last call.
    function takeCores() {
        return readdirSync(folder).map((name) => {
            const file = path.join(folder, name);
            const bytes = readFileSync(file);
            rmSync(file);
            return bytes;
        });
    }

    const has = (core, sought) => sought.some(({ bytes }) => core.includes(bytes));

    // None; or of a program that could not forbid them, if the kernel wrote some, nothing of its memory.
    function assertEmpty(forced, sought, what) {
        const cores = takeCores();
        if (!forced) assert.equal(cores.length, 0, what);
        for (const core of cores) {
            assert.ok(core.length < 64 * 1024, `${what}: ${core.length} bytes`);
            assert.ok(!has(core, sought), what);
        }
        return cores.length;
    }

    // Starts it, gives it the password, and ends it.
    async function assertSilent(command, args, input, env) {
        let written = 0;
        for (const [signal, forced] of [['SIGABRT', false], ['SIGSEGV', false], ['SIGABRT', true]]) {
            const service = start(command, args, { forced, env });
            service.child.stdin.write(input);
            await until('the password to be there', () => findInMemory(service.pid, needles).length > 0);
            assert.equal(await service.stop(signal), signal);
            written += assertEmpty(forced, needles, `${command} ${signal}`);
        }
        return written;
    }

    before(() => {
        install = new Install({ workers }).init();
        folder = install.makeFolder('cores');
        library = makeLibrary(install.folder, 'tests/web/support/no_limits.c');
    });
    after(() => install?.close());

    it('are written of other programs, with what they were told', async () => {
        const cat = start('cat', []);
        cat.child.stdin.write(canary);
        await until('cat to read it', () => findInMemory(cat.pid, needles).length > 0);
        assert.equal(await cat.stop('SIGABRT'), 'SIGABRT');
        assert.deepEqual(takeCores().map((core) => has(core, needles)), [true]);
    });

    it('are not written of the command that reads a password, and hold nothing if they are', async () => {
        const written = await assertSilent(plainLatchkey, ['user', 'add', 'canary', '--password-stdin'], canary);
        assert.equal(written, 1);
    });

    it('are not written of a program that reads a form as CGI', async () => {
        for (const program of ['login', 'account']) {
            const body = `username=alice&password=${canary}`;
            await assertSilent(path.join(plainPrograms, program), [], body, {
                ...required, LATCHKEY_CONFIG: install.config, REQUEST_METHOD: 'POST', REQUEST_URI: `/auth/${program}`,
                SCRIPT_NAME: `/auth/${program}`, CONTENT_TYPE: formType, CONTENT_LENGTH: String(body.length + 1),
            });
        }
    });

    async function endEach(forced) {
        const { keys } = readSecret(install);
        const processesOf = (program) => until(`the processes of ${program}`, () => {
            const master = children(install.service.pid).find((child) => child.name === program)?.pid;
            const below = master === undefined ? [] : children(master).map(({ pid }) => pid);
            return below.length === countProcesses(program, workers[program]) && [...below, master];
        });
        for (const program of Object.keys(workers)) {
            const all = await processesOf(program);
            for (const [i, pid] of all.entries()) {
                assert.ok(findInMemory(pid, keys).length > 0, 'what must not be there could be');
                process.kill(pid, i % 2 === 0 ? 'SIGSEGV' : 'SIGABRT');
                await until(`${program} ${pid} to end`, () => !isAlive(pid));
                assertEmpty(forced, keys, `${program} ${pid}`);
            }
        }
        assert.equal(await install.service.stop('SIGABRT'), 'SIGABRT');
        assertEmpty(forced, keys, 'latchkey serve');
    }

    for (const forced of [false, true]) {
        const name = forced ? 'hold no memory where programs that serve cannot forbid them' : 'are not written of programs that serve';
        it(name, async () => {
            install.service = start(plainLatchkey, ['serve'], { forced, stdin: 'ignore' });
            try {
                await until('the programs', () => install.log.includes('ready:'));
                await endEach(forced);
            } finally {
                await install.service.stop();
            }
        });
    }
});
