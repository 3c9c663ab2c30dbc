// What the running programs hold, and what they must not.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Install, alice, until } from './support/install.mjs';
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
});
