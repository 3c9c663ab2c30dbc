// A gate that is away, dies or talks nonsense opens no door: the web server denies.
//
// What a web server takes for a grant is its own affair (an answer without "Status:" is one to
// both), so these gates only do what a dying or a foreign program can.
import assert from 'node:assert/strict';
import { chmodSync, linkSync, renameSync, rmSync } from 'node:fs';
import net from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { apache } from './support/apache.mjs';
import { Install, until } from './support/install.mjs';
import { raw, request } from './support/http.mjs';
import { signedIn } from './support/forms.mjs';
import { behindEach } from './support/behind.mjs';
import { findProgram, findWorkers, killAll } from './support/processes.mjs';
import { freePort, secret, servers } from './support/servers.mjs';

const file = '/private/page.html';

function record(type, content, id = 1) {
    const bytes = Buffer.from(content, 'latin1');
    return Buffer.concat([Buffer.from([1, type, id >> 8, id & 255, bytes.length >> 8, bytes.length & 255, 0, 0]), bytes]);
}
const stdout = (text, id) => record(6, text, id);
const end = (status = 0, id = 1) => record(3, `\0\0\0\0${String.fromCharCode(status)}\0\0\0`, id);
const grant = {
    lighttpd: 'Status: 200 OK\r\nVariable-REMOTE_USER: alice\r\n\r\n',
    apache: 'Status: 200 OK\r\nVariable-REMOTE_USER: alice\r\n\r\n',
    nginx: 'Status: 204 No Content\r\nRemote-User: alice\r\n\r\n',
};

// What a gate may do with a connection once a request came: bytes to send before it closes.
function nonsense(server) {
    const good = grant[server];
    const cut = (text, length) => stdout(text.slice(0, length));
    return {
        'nothing at all': '',
        'one byte': '\x01',
        'half a record header': stdout(good).subarray(0, 5),
        'half a record': stdout(good).subarray(0, 20),
        'a line of text': 'Status: 200 OK\r\n\r\n',
        'an HTTP answer': 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
        'zeros': '\0'.repeat(4096),
        'noise': Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919 + (i >> 3)) & 255)),
        'half a status': cut(good, 9),
        'a status without the end of its line': cut(good, 'Status: 200'.length),
        'a header without the empty line': cut(good, good.indexOf('alice') + 2),
        'all but the last line end': cut(good, good.length - 2),
        'half a status and no more to come': Buffer.concat([cut(good, 9), stdout('')]),
        'a status that denies': Buffer.concat([stdout('Status: 403 Forbidden\r\n\r\n'), stdout(''), end()]),
        'a status of its own fault': Buffer.concat([stdout('Status: 500 Oops\r\n\r\n'), stdout(''), end()]),
        'a status that is no number': Buffer.concat([stdout('Status: yes\r\n\r\n'), stdout(''), end()]),
        'only an error stream': Buffer.concat([record(7, 'Status: 200 OK\r\n\r\n')]),
    };
}

for (const server of [...servers, apache]) {
    describe(`a broken gate, behind ${server.name}`, () => {
        let install;
        let web;
        let gate;
        let address;
        const sockets = new Set();

        before(async () => {
            install = new Install().init();
            // Apache asks over TCP.
            address = server === apache ? await freePort() : install.socket('gate');
            web = await server.start(install, server === apache ? { gate: address } : {});
        });
        const close = async () => {
            sockets.forEach((socket) => socket.destroy());
            sockets.clear();
            await new Promise((resolve) => { if (gate) gate.close(resolve); else resolve(); });
            gate = undefined;
        };
        afterEach(async () => {
            await close();
            rmSync(install.socket('gate'), { force: true });
        });
        after(async () => {
            await web?.stop();
            await install?.close();
        });

        // A gate that answers each connection by `act(socket)` when its request came.
        const open = (act) => new Promise((resolve) => {
            gate = net.createServer((socket) => {
                sockets.add(socket);
                socket.on('error', () => {}).once('data', () => act(socket));
            }).listen(address, resolve);
        });
        const answerWith = (bytes) => (socket) => socket.end(Buffer.from(bytes, 'latin1'));

        // Behind lighttpd a gate that was away is tried again after a second.
        async function ask() {
            const answer = await request(web.port, file, { timeout: 5000 }).catch(() => ({ status: 0, body: '' }));
            assert.ok(!answer.body.includes(secret));
            return answer.status;
        }

        it('that works is believed', async () => {
            await open(answerWith(Buffer.concat([stdout(grant[server.name]), stdout(''), end()])));
            await until('the page', async () =>
                (await request(web.port, file)).body.includes(secret), 5000);
        });

        it('that is away is none', async () => {
            assert.ok(await ask() >= 500);
        });

        // Where there is a socket.
        if (server !== apache) {
            it('that left its socket behind is none', async () => {
                const socket = install.socket('gate');
                await open(() => {});
                linkSync(socket, `${socket}.kept`);
                await close();
                renameSync(`${socket}.kept`, socket);
                assert.ok(await ask() >= 500);
            });
        }

        for (const [name, bytes] of Object.entries(nonsense(server.name))) {
            it(`that sends ${name} opens nothing`, async () => {
                let asked = 0;
                await open((socket) => {
                    asked++;
                    answerWith(bytes)(socket);
                });
                await until('the gate to be asked', async () => {
                    const status = await ask();
                    assert.ok(status === 0 || status >= 400, String(status));
                    return asked > 0;
                }, 5000);
            });
        }

        for (const [name, bytes] of [['at once', ''], ['in the middle', stdout(grant[server.name]).subarray(0, 30)]]) {
            it(`that resets the connection ${name} opens nothing`, async () => {
                let asked = 0;
                await open((socket) => {
                    asked++;
                    if (bytes.length > 0) socket.write(bytes);
                    socket.destroy();
                });
                await until('the gate to be asked', async () => {
                    const status = await ask();
                    assert.ok(status === 0 || status >= 500, String(status));
                    return asked > 0;
                }, 5000);
            });
        }

        it('that is silent shows nothing while it is', async () => {
            const waiting = [];
            await open((socket) => waiting.push(socket));
            await until('the gate to be asked', async () => {
                const answer = await raw(web.port, `GET ${file} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`, 700)
                    .catch(() => '');
                assert.doesNotMatch(answer, /^HTTP\/1.1 2/);
                return waiting.length > 0;
            }, 5000);
        });
    });
}

behindEach('a gate whose processes are killed', {}, (at) => {
    // Asks all the time while `act` runs: only users see the page, and in the end they do again.
    async function keepAsking(act) {
        const user = await signedIn(at.port);
        let busy = true;
        const rounds = [1, 2, 3, 4].map(async () => {
            while (busy) {
                const answer = await request(at.port, file).catch(() => ({ status: 0, body: '' }));
                assert.ok(answer.status === 303 || answer.status === 0 || answer.status >= 500, String(answer.status));
                assert.ok(!answer.body.includes(secret));
            }
        });
        try {
            await act();
        } finally {
            busy = false;
        }
        await Promise.all(rounds);
        await until('the gate to be back', async () => (await user.fetch(file)).status === 200);
        assert.equal((await request(at.port, file)).status, 303);
    }

    it('lets nobody in, and comes back', () => keepAsking(async () => {
        for (let i = 0; i < 5; i++) {
            killAll(findWorkers(at.install, 'gate'));
            await sleep(60);
        }
        killAll([findProgram(at.install, 'gate')].filter(Boolean));
        await sleep(100);
    }));

    it('is no gate without its socket', async () => {
        const socket = at.install.socket('gate');
        const user = await signedIn(at.port);
        renameSync(socket, `${socket}.away`);
        try {
            assert.ok((await request(at.port, file)).status >= 500);
            assert.ok((await user.fetch(file)).status >= 500);
        } finally {
            renameSync(`${socket}.away`, socket);
        }
        await until('the gate to be back', async () => (await user.fetch(file)).status === 200);
        if (process.getuid() === 0) return; // root may connect to any socket
        chmodSync(socket, 0);
        assert.ok((await user.fetch(file)).status >= 500);
        chmodSync(socket, 0o660);
    });
});
