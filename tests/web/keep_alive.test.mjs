// Connections that nginx keeps to the programs: many more of them than workers, and nobody waits.
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import net from 'node:net';
import { askFastcgi, fastcgiRequest, required } from './support/direct.mjs';
import { Browser, request } from './support/http.mjs';
import { Install, alice, until } from './support/install.mjs';
import { findWorkers } from './support/processes.mjs';
import { nginx, secret } from './support/servers.mjs';

const atOnce = 2000; // ms; a busy machine needs less, every limit of a connection is longer
const enough = 6; // kept connections of one worker

const connectionsOf = (pid) => readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:');
    } catch {
        return false; // closed meanwhile
    }
}).length;

async function inTime(action) {
    const begin = Date.now();
    const result = await action();
    assert.ok(Date.now() - begin < atOnce, `${Date.now() - begin} ms`);
    return result;
}

describe('connections that nginx keeps', () => {
    let install;
    let web;
    let worker;
    let idle; // sockets of the worker without a connection

    before(async () => {
        install = await new Install({ workers: { login: 1, logout: 1, account: 1, gate: 1 } }).init().serve();
        await askFastcgi(install.socket('logout'), required);
        [worker] = findWorkers(install, 'logout');
        idle = connectionsOf(worker);
        web = await nginx.start(install, { kept: 16 });
    });
    after(async () => {
        await web?.stop();
        assert.equal(await install?.close(), 0);
    });

    // Asks until the one worker of `logout` has that many; a request that took long leaves none.
    const fill = () => until('kept connections', async () => {
        await Promise.all(Array.from({ length: 16 }, () => request(web.port, '/auth/logout')));
        return connectionsOf(worker) - idle >= enough;
    });

    it('are more than workers, and no request waits for them', async () => {
        await fill();
        for (let i = 0; i < 20; i++) {
            assert.equal((await inTime(() => request(web.port, '/auth/logout'))).status, 200);
            assert.equal((await inTime(() => askFastcgi(install.socket('logout'),
                { ...required, REQUEST_URI: '/auth/logout', SCRIPT_NAME: '/auth/logout' }))).status, 200);
        }
        assert.deepEqual(findWorkers(install, 'logout'), [worker]);
        assert.ok(connectionsOf(worker) > idle);
    });

    it('carry sign-ins, checks, pages and sign-outs', async () => {
        for (let i = 0; i < 3; i++) {
            const browser = new Browser(web.port);
            assert.equal((await browser.signIn(alice)).status, 303);
            assert.ok((await browser.fetch('/private/page.html')).body.includes(secret));
            for (let j = 0; j < 5; j++) assert.equal((await browser.fetch('/auth/session')).status, 200);
            assert.equal((await browser.signOut()).status, 303);
            assert.equal((await browser.fetch('/auth/session')).status, 401);
        }
    });

    it('are not held up by one whose request never ends', async () => {
        await fill();
        const bytes = fastcgiRequest({ ...required, REQUEST_URI: '/auth/logout' });
        bytes[10] = 1; // FCGI_KEEP_CONN
        const stuck = net.connect(install.socket('logout'), () => stuck.write(bytes));
        stuck.on('error', () => {});
        await new Promise((resolve) => { stuck.once('data', resolve); });
        stuck.write(bytes.subarray(0, bytes.length - 1));
        for (let i = 0; i < 20; i++) {
            assert.equal((await inTime(() => request(web.port, '/auth/logout'))).status, 200);
        }
        stuck.destroy();
    });

    it('are closed by workers that stop, and made anew', async () => {
        await fill();
        const begin = Date.now();
        process.kill(install.service.pid, 'SIGHUP');
        await until('another worker', () => {
            const [next] = findWorkers(install, 'logout');
            return next !== undefined && next !== worker;
        });
        assert.ok(Date.now() - begin < 8000, 'a worker waits for kept connections');
        [worker] = findWorkers(install, 'logout');
        await until('an answer', async () => (await request(web.port, '/auth/logout')).status === 200);
    });
});
