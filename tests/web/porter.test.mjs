// Many who sign in at once while passwords are dear: who waits, in which order, and who is sent away.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from './support/http.mjs';
import { Install, alice, until } from './support/install.mjs';
import { formType, openForm, without } from './support/forms.mjs';
import { findWorkers, killAll } from './support/processes.mjs';
import { servers } from './support/servers.mjs';

const atOnce = 1500; // ms; a busy machine needs less, the sign-ins below take several seconds
const strangersMax = 48;

// One worker, and hashes that take some 100 ms.
const settings = {
    workers: { login: 1 }, password: { memory: '32M', passes: 5 }, throttle: { attempts: 1000000 },
};

// Sends the forms of that many people whom nobody knows; `each` is told of every answer. Resolves to
// the answers in the order of the requests, each with the time when it came.
async function tryMany(web, count, pause = 0) {
    const { browser, fields } = await openForm(web.port);
    const answers = [];
    for (let i = 0; i < count; i++) {
        answers.push(request(web.port, '/auth/login', {
            method: 'POST', timeout: 60000,
            headers: { 'content-type': formType, cookie: browser.cookie },
            body: new URLSearchParams({ ...without(fields, 'username'), username: `nobody${i}` }).toString(),
        }).then((answer) => ({ ...answer, at: Date.now() })));
        if (pause > 0) await sleep(pause);
    }
    return answers;
}

for (const server of servers) {
    describe(`many sign-ins behind ${server.name}`, () => {
        let install;
        let web;

        before(async () => {
            install = await new Install(settings).init().serve();
            web = await server.start(install);
        });
        after(async () => {
            await web?.stop();
            assert.equal(await install?.close(), 0);
        });

        it('hold no page up', async () => {
            let areDone = false;
            const all = Promise.all(await tryMany(web, 30)).finally(() => { areDone = true; });
            for (let i = 0; i < 20; i++) {
                const begun = Date.now();
                assert.equal((await request(web.port, '/auth/login')).status, 200);
                assert.ok(Date.now() - begun < atOnce, `${Date.now() - begun} ms`);
            }
            assert.ok(!areDone);
            for (const { status } of await all) assert.equal(status, 403);
        });

        it('are answered in the order in which they came', async () => {
            const before = await tryMany(web, 30); // so that the others wait, who come one by one
            const answers = await Promise.all(await tryMany(web, 8, 100));
            const times = answers.map(({ at }) => at);
            assert.deepEqual(times, [...times].sort((a, b) => a - b));
            for (const { status } of [...await Promise.all(before), ...answers]) assert.equal(status, 403);
        });

        it('are asked to come again when too many wait, and none is lost', async () => {
            const begun = Date.now();
            const answers = await Promise.all(await tryMany(web, 90));
            const refused = answers.filter(({ status }) => status === 503);
            const tried = answers.filter(({ status }) => status === 403);
            assert.equal(refused.length + tried.length, answers.length, `${answers.map(({ status }) => status)}`);
            assert.ok(tried.length >= strangersMax && refused.length > 0, `${tried.length} tried`);
            for (const { headers, body, at } of refused) {
                assert.match(headers['retry-after'], /^[1-9][0-9]*$/);
                assert.match(headers['content-type'], /^text\/html/);
                assert.match(headers['cache-control'], /no-store/);
                assert.match(body, /<html/);
                assert.ok(at - begun < Math.max(...tried.map((answer) => answer.at)) - begun);
            }
            assert.match(install.log, /login\[\d+\]: warning: too many wait for a worker/);
        });

        it('who comes after them can sign in', async () => {
            const { browser, fields } = await openForm(web.port);
            assert.equal((await browser.post('/auth/login', fields)).status, 303);
            assert.equal((await browser.fetch('/auth/session')).status, 200);
        });

        it('wait on while the process that accepts is replaced', async () => {
            const waiting = await tryMany(web, 10, 5);
            await sleep(100); // until all have been handed over
            const [porter] = findWorkers(install, 'login');
            killAll([porter]);
            await until('another one', () => {
                const now = findWorkers(install, 'login');
                return now.length === 2 && !now.includes(porter);
            });
            for (const { status } of await Promise.all(waiting)) assert.equal(status, 403);
        });

        it('are answered before the programs stop', async () => {
            const waiting = await tryMany(web, 10, 5);
            await sleep(100);
            const stopping = install.service.stop();
            for (const { status } of await Promise.all(waiting)) assert.equal(status, 403);
            assert.equal(await stopping, 0);
            await install.serve();
            const { browser, fields } = await openForm(web.port);
            assert.equal((await browser.post('/auth/login', { ...fields, username: alice.name })).status, 303);
        });
    });
}
