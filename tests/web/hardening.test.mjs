// What the running programs hold, and what they must not.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Install, alice, programs, until } from './support/install.mjs';
import { Browser } from './support/http.mjs';
import { lighttpd } from './support/servers.mjs';

// The processes started by `pid`, as { pid, name }.
function children(pid) {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
        .map((child) => ({ pid: Number(child), name: readFileSync(`/proc/${child}/comm`, 'utf8').trim() }));
}

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

    it('libraries take no orders from the environment of a CGI request', () => {
        const orders = path.join(install.folder, 'openssl.cnf');
        // Without the default provider, OpenSSL has no HMAC.
        writeFileSync(orders, 'openssl_conf = a\n[a]\nproviders = b\n[b]\nbase = c\n[c]\nactivate = 1\n');
        const answer = spawnSync(path.join(programs, 'gate'), {
            encoding: 'utf8',
            env: {
                ...install.env, OPENSSL_CONF: orders, SQLITE_TMPDIR: '/nowhere', REQUEST_METHOD: 'GET',
                REQUEST_URI: '/x', SERVER_PROTOCOL: 'HTTP/1.1', REMOTE_ADDR: '192.0.2.1',
            },
        });
        assert.match(answer.stdout, /^Status: 401 /, answer.stderr);
    });
});
