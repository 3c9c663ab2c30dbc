// What the running programs hold, and what they must not.
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { Install, alice, until } from './support/install.mjs';
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
