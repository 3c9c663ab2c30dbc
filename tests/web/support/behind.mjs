// One list of tests, run behind each web server.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { Install } from './install.mjs';
import { servers } from './servers.mjs';

// Calls `define(at)` once for each server, to define its tests; when they run, `at` holds the
// installation and the server's port.
export function behindEach(what, settings, define, among = servers) {
    for (const server of among) {
        describe(`${what}, behind ${server.name}`, () => {
            const at = { server: server.name };
            let web;

            before(async () => {
                at.install = await new Install(settings).init().serve();
                web = await server.start(at.install);
                at.port = web.port;
            });
            after(async () => {
                await web?.stop();
                assert.equal(await at.install?.close(), 0);
            });
            define(at);
        });
    }
}
