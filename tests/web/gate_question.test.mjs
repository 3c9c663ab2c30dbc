// What the gate is told of the request that it is asked about, whichever web server asks.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, describe, it } from 'node:test';
import { Install } from './support/install.mjs';
import { printParams } from './support/backends.mjs';
import { request } from './support/http.mjs';
import { servers } from './support/servers.mjs';

const page = { accept: 'text/html,*/*;q=0.8', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };

// The parameters of a FastCGI request, once all of them came.
function readParams(bytes) {
    const params = [];
    for (let at = 0; at + 8 <= bytes.length;) {
        const length = bytes.readUInt16BE(at + 4);
        if (bytes[at + 1] === 4) {
            if (length === 0) {
                const lines = printParams(Buffer.concat(params)).split('\n').filter(Boolean);
                return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')),
                    line.slice(line.indexOf('=') + 1)]));
            }
            params.push(bytes.subarray(at + 8, at + 8 + length));
        }
        at += 8 + length + bytes[at + 6];
    }
    return undefined;
}

for (const server of servers) {
    describe(`what the gate is told, behind ${server.name}`, () => {
        let install;
        let web;
        let gate;
        let told;

        before(async () => {
            install = new Install().init();
            gate = net.createServer((socket) => {
                let bytes = Buffer.alloc(0);
                socket.on('error', () => {}).on('data', (more) => {
                    bytes = Buffer.concat([bytes, more]);
                    told = readParams(bytes);
                    if (told) socket.end(); // without an answer, which is none
                });
            });
            await new Promise((resolve) => { gate.listen(install.socket('gate'), resolve); });
            web = await server.start(install);
        });
        after(async () => {
            await web?.stop();
            await new Promise((resolve) => { gate.close(resolve); });
            await install?.close();
        });

        async function ask(method, headers) {
            told = undefined;
            const body = ['POST', 'PUT'].includes(method) ? 'a=b' : undefined;
            const answer = await request(web.port, '/private/page.html?a=b', { method, headers, body });
            assert.ok(answer.status >= 500, String(answer.status));
            return told;
        }

        for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']) {
            it(`is the method of the request itself: ${method}`, async () => {
                const params = await ask(method, page);
                assert.equal(params.REQUEST_METHOD, method);
                assert.equal(params.REQUEST_URI, '/private/page.html?a=b');
            });
        }

        it('is whether a browser waits for a page', async () => {
            const params = await ask('GET', page);
            assert.equal(params.HTTP_ACCEPT, page.accept);
            assert.equal(params.HTTP_SEC_FETCH_MODE, 'navigate');
            assert.equal(params.HTTP_SEC_FETCH_DEST, 'document');
        });

        it('is that a script asks', async () => {
            const params = await ask('GET', { accept: '*/*', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' });
            assert.equal(params.HTTP_ACCEPT, '*/*');
            assert.equal(params.HTTP_SEC_FETCH_MODE, 'cors');
            assert.equal(params.HTTP_SEC_FETCH_DEST, 'empty');
        });

        it('is nothing of it when the client says nothing', async () => {
            const params = await ask('GET', { accept: '' });
            assert.ok(!params.HTTP_ACCEPT && !params.HTTP_SEC_FETCH_MODE && !params.HTTP_SEC_FETCH_DEST);
        });
    });
}
