// A flood of wrong passwords against one account keeps its owner out of nothing: measured with the
// programs and the cost of passwords as they are installed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Browser, encodeForm, formFields, request } from './support/http.mjs';
import { Install, alice, plainLatchkey } from './support/install.mjs';
import { findWorkers } from './support/processes.mjs';
import { nginx, secret } from './support/servers.mjs';

const addresses = 50;
const perSecond = 1000;
const seconds = 20;
const enough = 0.8; // of what was to be sent, or this was no flood
const accountFree = 100;
const ownerLimit_ms = 2000; // where nothing else keeps the machine busy
const turnsMax = 25; // the same in quiet sign-ins
const rowsMax = 2 * addresses + 10;

// Seconds of processor that processes have used (proc(5): utime and stime, the 14th and 15th field).
const usedBy = (pids) => pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) / 100;
}, 0);

class Flood {
    constructor(port) {
        this.port = port;
        this.agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
        this.statuses = {};
        this.sent = 0;
        this.waiting = new Set();
    }

    // Each address has its own form, gotten before.
    async prepare() {
        this.forms = await Promise.all(Array.from({ length: addresses }, async (_, i) => {
            const page = await request(this.port, '/auth/login');
            return {
                cookie: page.cookies[0].split(';')[0],
                address: `198.51.100.${i + 1}`,
                body: encodeForm({ ...formFields(page.body), username: alice.name, password: `guess ${i}` }),
            };
        }));
    }

    send({ cookie, address, body }) {
        const done = new Promise((resolve) => {
            const outgoing = http.request({
                host: '127.0.0.1', port: this.port, path: '/auth/login', method: 'POST', agent: this.agent,
                headers: { cookie, 'x-forwarded-for': address, 'content-type': 'application/x-www-form-urlencoded' },
            }, (answer) => answer.resume().on('end', () => resolve(answer.statusCode)));
            outgoing.on('error', () => resolve('error'));
            outgoing.end(body);
        }).then((status) => {
            this.statuses[status] = (this.statuses[status] ?? 0) + 1;
            this.waiting.delete(done);
        });
        this.waiting.add(done);
        this.sent++;
    }

    async run() {
        const start = performance.now();
        for (let passed = 0; passed < seconds * 1000; passed = performance.now() - start) {
            while (this.sent < passed * perSecond / 1000) this.send(this.forms[this.sent % addresses]);
            await sleep(5);
        }
        await Promise.all(this.waiting);
        this.agent.destroy();
        this.took_s = (performance.now() - start) / 1000;
    }
}

describe('a flood against one account', () => {
    let install;
    let web;

    before(async () => {
        install = new Install({
            site: { trusted_proxies: '127.0.0.1' }, password: { memory: '19M', passes: '2' },
        }).init();
        await install.serve({ command: plainLatchkey });
        web = await nginx.start(install);
    });
    after(async () => {
        await web?.stop();
        assert.equal(await install?.close(), 0);
    });

    it('of 1,000 wrong passwords a second from 50 addresses keeps neither the owner out nor the gate', { timeout: 120000 }, async (context) => {
        const owner = new Browser(web.port);
        assert.equal((await owner.signIn(alice)).status, 303);
        const session = `latchkey=${owner.jar.get('latchkey')}`;
        const visitor = new Browser(web.port);
        visitor.jar.set('latchkey-device', owner.jar.get('latchkey-device'));
        const signIn = async (address) => {
            visitor.jar.delete('latchkey');
            const start = performance.now();
            const answer = await visitor.submit('/auth/login', { username: alice.name, password: alice.password },
                { 'x-forwarded-for': address });
            assert.equal(answer.status, 303);
            return performance.now() - start;
        };
        const quiet = [];
        for (let i = 0; i < 5; i++) quiet.push(await signIn('203.0.113.1'));
        const flood = new Flood(web.port);
        await flood.prepare();
        const workers = findWorkers(install, 'login');
        const before = usedBy(workers);
        const took = { signIns: [], checks: [] };
        let over = false;
        const flooding = flood.run().finally(() => { over = true; });

        const signingIn = (async () => {
            while (!over) {
                await sleep(1500);
                // From an address that the flood comes from, too.
                took.signIns.push(await signIn(took.signIns.length % 2 === 0 ? '198.51.100.1' : '203.0.113.1'));
            }
        })();
        const checking = (async () => {
            while (!over) {
                const start = performance.now();
                const answer = await request(web.port, '/private/page.html', { headers: { cookie: session } });
                assert.equal(answer.status, 200);
                assert.ok(answer.body.includes(secret));
                took.checks.push(performance.now() - start);
                await sleep(50);
            }
        })();
        await Promise.all([flooding, signingIn, checking]);

        const used = usedBy(workers) - before;
        const rows = JSON.parse(install.do(['throttle', 'list', '--json'])).length;
        const sorted = (list) => [...list].sort((a, b) => a - b);
        const at = (list, part) => sorted(list)[Math.min(list.length - 1, Math.floor(part * list.length))].toFixed(0);
        // A known browser stands before all strangers, behind those at most whose turn it is already. A slow
        // machine may take longer for each.
        const limit = Math.max(ownerLimit_ms, turnsMax * sorted(quiet)[2]);
        for (const line of [
            `${flood.sent} attempts in ${flood.took_s.toFixed(1)} s: ${JSON.stringify(flood.statuses)}`,
            `${took.signIns.length} sign-ins of the owner: median ${at(took.signIns, 0.5)} ms, slowest ${at(took.signIns, 1)} ms; before ${at(quiet, 0.5)} ms`,
            `${took.checks.length} checks: median ${at(took.checks, 0.5)} ms, p99 ${at(took.checks, 0.99)} ms, slowest ${at(took.checks, 1)} ms`,
            `login used ${used.toFixed(1)} s of processor; ${rows} counts`,
        ]) context.diagnostic(line);

        assert.ok(flood.sent >= enough * perSecond * flood.took_s, 'this was no flood');
        // While the attempts that are free are hashed, too many wait for their turn: these are sent away.
        const { 403: wrong = 0, 429: late = 0, 503: full = 0 } = flood.statuses;
        assert.equal(wrong + late + full, flood.sent, JSON.stringify(flood.statuses));
        assert.ok(wrong > 0 && wrong <= accountFree + 3, 'few are hashed');
        assert.ok(late > flood.sent / 2, 'most are told to wait');
        assert.ok(took.signIns.length >= 5);
        assert.ok(Math.max(...took.signIns) < limit, `the owner is in within ${limit.toFixed(0)} ms`);
        assert.ok(took.checks.length > seconds);
        assert.ok(rows <= rowsMax);
        // Who is not known has to wait, also with the right password: the control.
        const stranger = await new Browser(web.port).submit('/auth/login',
            { username: alice.name, password: alice.password }, { 'x-forwarded-for': '203.0.113.2' });
        assert.equal(stranger.status, 429);
    });
});
