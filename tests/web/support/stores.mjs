// One list of tests, run with each store of sessions behind all web servers at once.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { Install } from './install.mjs';
import { servers } from './servers.mjs';

export const stores = ['database', 'cookie', 'cache'];

export const workers = { login: 2, logout: 1, account: 2, gate: 3 };

// Settings over the usual ones of these tests.
export function settingsFor(store, more = {}) {
    return { workers, ...more, session: { secure_cookie: 'no', store, ...more.session } };
}

// Starts the programs and a web server of each kind before them. `serve` is for Install.serve.
export async function startAll(install, serve) {
    await install.serve(serve);
    const webs = [];
    for (const server of servers) webs.push(await server.start(install));
    return webs;
}

// Calls `define(at)` once for each store, to define its tests; when they run, `at` holds the
// installation and the web servers. `make` makes another kind of installation, `serve` gives options
// for Install.serve. The stores run side by side.
export function forEachStore(what, define, {
    settings = {}, make = (all) => new Install(all), serve, only = stores,
} = {}) {
    describe(what, { concurrency: true }, () => {
        for (const store of stores.filter((name) => only.includes(name))) {
            describe(`${what}, ${store} store`, { concurrency: 1 }, () => {
                const at = { store, webs: [] };

                before(async () => {
                    at.install = make(settingsFor(store, settings)).init();
                    at.webs = await startAll(at.install, serve?.(at));
                });
                after(async () => {
                    for (const web of at.webs) await web.stop();
                    assert.equal(await at.install?.close(), 0);
                });
                define(at);
            });
        }
    });
}
