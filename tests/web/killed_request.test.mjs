// A process that is killed just before it answers: the web server tells the browser so and asks nobody
// else, nobody passes by it, and the next request is answered.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Crash } from '../crash/crash.mjs';
import { csrfOf, formType, signedIn } from './support/forms.mjs';
import { encodeForm, request } from './support/http.mjs';
import { Install, plainLatchkey } from './support/install.mjs';
import { servers } from './support/servers.mjs';
import { settingsFor } from './support/stores.mjs';

// What each says when there is no answer; nginx has an error of its own for the gate.
const shown = { nginx: { page: 502, gate: 500 }, lighttpd: { page: 500, gate: 500 } };

describe('a killed process', () => {
    const install = new Install(settingsFor('database'), plainLatchkey).init();
    const crash = new Crash(install.folder, 'web');
    const webs = {};

    before(async () => {
        await install.serve({ env: crash.env });
        for (const server of servers) webs[server.name] = await server.start(install);
    });
    after(async () => {
        for (const web of Object.values(webs)) await web.stop();
        crash.close();
        assert.equal(await install.close(), 0);
    });

    for (const { name } of servers) {
        for (const [program, target, what] of [
            ['gate', '/private/page.html', 'gate'], ['logout', '/auth/logout', 'page'], ['account', '/auth/session', 'page'],
        ]) {
            it(`takes one request with it: ${target}, ${name}`, async () => {
                const browser = await signedIn(webs[name].port);
                const ask = () => request(webs[name].port, target, { headers: { cookie: browser.cookie } });
                assert.equal((await ask()).status, 200);
                crash.arm(program, 1);
                assert.equal((await ask()).status, shown[name][what]);
                assert.equal((await ask()).status, 200);
            });
        }

        it(`has done what was asked of it or not: a sign-out, ${name}`, async () => {
            const browser = await signedIn(webs[name].port);
            const { cookie } = browser;
            const body = encodeForm({ csrf: await csrfOf(browser) });
            const post = () => request(webs[name].port, '/auth/logout',
                { method: 'POST', body, headers: { cookie, 'content-type': formType } });
            const see = async () => (await request(webs[name].port, '/auth/session', { headers: { cookie } })).status;
            // At its first call; then at the last one, the answer.
            crash.arm('logout', 1);
            assert.equal((await post()).status, shown[name].page);
            assert.equal(await see(), 200);
            const other = await signedIn(webs[name].port);
            const csrf = await csrfOf(other);
            crash.arm('logout', 0);
            assert.equal((await other.post('/auth/logout', { csrf })).status, 303);
            crash.arm('logout', crash.calls);
            assert.equal((await post()).status, shown[name].page);
            assert.equal(await see(), 401);
        });
    }
});
