// What the running programs hold, and what they must not.
import assert from 'node:assert/strict';
import { chmodSync, closeSync, openSync, readFileSync, readSync, readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { Install, Service, alice, programs, until } from './support/install.mjs';
import { Browser } from './support/http.mjs';
import { children } from './support/processes.mjs';
import { lighttpd } from './support/servers.mjs';

function openFiles(pid) {
    return readdirSync(`/proc/${pid}/fd`).flatMap((number) => {
        try {
            return [readlinkSync(`/proc/${pid}/fd/${number}`)];
        } catch {
            return []; // closed meanwhile
        }
    });
}

// How often the bytes of `text` are in the memory of a process.
function countInMemory(pid, text) {
    const memory = openSync(`/proc/${pid}/mem`, 'r');
    let count = 0;
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
        const [, begin, end] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
        if (begin === undefined) continue;
        const bytes = Buffer.alloc(parseInt(end, 16) - parseInt(begin, 16));
        try {
            readSync(memory, bytes, 0, bytes.length, parseInt(begin, 16));
        } catch {
            continue; // not to be read, as the kernel's own pages
        }
        for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) count++;
    }
    closeSync(memory);
    return count;
}

describe('the running programs', () => {
    let install;
    let web;

    before(async () => {
        install = await new Install().init().serve();
        web = await lighttpd.start(install);
        await new Browser(web.port).signIn(alice);
    });
    after(async () => {
        await web?.stop();
        assert.equal(await install?.close(), 0);
    });

    it('no worker shares a database connection with the process that started it', async () => {
        const masters = children(install.service.pid);
        assert.deepEqual(masters.map(({ name }) => name).sort(), ['account', 'gate', 'login', 'logout']);
        for (const { pid, name } of masters) {
            await until(`workers of ${name}`, () => children(pid).length > 0);
            assert.deepEqual(openFiles(pid).filter((file) => file.includes('latchkey.db')), [], name);
        }
    });

    it('no memory goes into core dumps, and no privilege can be gained', () => {
        for (const { pid, name } of children(install.service.pid)) {
            for (const process of [pid, ...children(pid).map((worker) => worker.pid)]) {
                assert.match(readFileSync(`/proc/${process}/limits`, 'utf8'), /^Max core file size +0 +0 /m, name);
                assert.match(readFileSync(`/proc/${process}/status`, 'utf8'), /^NoNewPrivs:\t1$/m, name);
                assert.equal(parseInt(readFileSync(`/proc/${process}/coredump_filter`, 'utf8'), 16), 0, name);
            }
        }
    });
});

describe('starting', () => {
    let install;
    beforeEach(() => { install = new Install().init(); });
    afterEach(() => install.close());

    it('is refused where everybody could replace the sockets', () => {
        chmodSync(install.run, 0o777);
        const refused = install.try(['serve']);
        assert.equal(refused.status, 1);
        assert.match(refused.stderr, /all may write .*; run chmod o-w/);
    });

    it('with cookies that travel without TLS is warned about', async () => {
        await install.serve();
        await until('the warning', () => /login\[\d+\]: warning: session\.secure_cookie = no/.test(install.log));
    });
});

// A sanitizer keeps what was freed, so this looks at the programs as they are installed.
describe('the programs as they are installed', () => {
    let install;
    let web;

    before(async () => {
        install = new Install().init();
        install.service = new Service(path.join(programs, '../../bin/latchkey'), ['serve'], { env: install.env });
        await until('the programs', () => /ready/.test(install.log));
        web = await lighttpd.start(install);
    });
    after(async () => {
        await web?.stop();
        assert.equal(await install?.close(), 0);
    });

    it('forget a password once they have answered', async () => {
        const workers = () => children(install.service.pid)
            .flatMap(({ pid, name }) => children(pid).map((worker) => ({ name, pid: worker.pid })));
        // Of characters that forms do not encode.
        const user = { name: 'canary', password: 'a-password-that-stands-nowhere-else-4711' };
        install.addUser(user);
        const browser = new Browser(web.port);
        await browser.submit('/auth/login', { username: user.name, password: `${user.password}-but-wrong` });
        assert.equal((await browser.signIn(user)).status, 303);
        for (const { pid, name } of workers()) {
            // The answer leaves before the worker has cleaned up behind it.
            await until(`${name} to forget it`, () => countInMemory(pid, user.password) === 0, 2000);
        }
        // The control: what is in memory is found.
        const login = workers().find(({ name }) => name === 'login');
        assert.ok(countInMemory(login.pid, install.state) > 0);
    });
});
