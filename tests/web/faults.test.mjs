// Calls of the programs that fail, a few of each scenario: `make fault-calls` makes all of them fail.
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { cgiScenarios } from '../fault/cgi.mjs';
import { commandScenarios } from '../fault/commands.mjs';
import { Report } from '../fault/report.mjs';
import { requestScenarios } from '../fault/requests.mjs';
import { Sweep, pickFault, randomFrom } from '../fault/sweep.mjs';
import { World } from '../fault/world.mjs';
import { until } from './support/install.mjs';
import { killAll } from './support/processes.mjs';
import { stores } from './support/stores.mjs';

const { errno } = constants;
const seed = 20261130;
const each = 8; // faults of a scenario

// What was wrong once.
const found = [
    { scenario: 'sign-in', name: 'mmap', error: errno.ENOMEM }, // was answered as a wrong password
    { scenario: 'sign-in', name: 'sqlite3_exec', nth: 2, error: 1555 }, // the next one was answered with 503
    { scenario: 'renewal', store: 'cookie', name: 'sqlite3_exec', nth: 4, how: 'after', error: 5 }, // the next one was answered with 503
    { scenario: 'CGI: sign-out', name: 'poll', error: errno.ENOMEM }, // was answered with 400
    { scenario: 'latchkey user passwd', name: 'getrandom', error: errno.ENOSYS, except: ' libsodium ' }, // died
    { scenario: 'latchkey user lock', name: 'strdup', error: errno.ENOMEM }, // said nothing
];

const told = (report) => [...report.failures.values()].map(({ text }) => text).join('\n');

async function sample(sweep, scenario, random) {
    const counts = await sweep.count(scenario);
    for (const { scenario: name, store = sweep.world.store, ...fault } of found) {
        if (name === scenario.name && store === sweep.world.store) assert.ok(await sweep.run(scenario, [{ how: 'before', nth: 1, span: 1, ...fault }]), 'the fault happened');
    }
    await sweep.sample(scenario, counts, scenario.withFrail ? 2 : each, random);
    if (!scenario.withFrail) await sweep.run(scenario, [pickFault(random, scenario, counts), pickFault(random, scenario, counts)]);
}

const settings = [...stores.map((store) => ({ store, build: 'plain' })), { store: 'database', build: 'sanitized' }];

describe('calls that fail', { concurrency: true }, () => {
    for (const { store, build } of settings) {
        describe(`${store} store, ${build} programs`, { concurrency: 1 }, () => {
            const report = new Report();
            const random = randomFrom(seed);
            let sweep;

            before(async () => { sweep = new Sweep(await new World(store, build).start(), report); });
            after(async () => assert.equal(await sweep?.world.close(), 0));

            for (const scenario of [...requestScenarios, ...cgiScenarios]) {
                it(`spoil nothing: ${scenario.name}`, async () => {
                    await sample(sweep, scenario, random);
                    assert.equal(told(report), '');
                });
            }

            it('leave a sound database', () => sweep.keepHouse());
            it('happened', () => assert.ok(report.injected > report.cases / 2, `${report.injected} of ${report.cases}`));
        });
    }

    describe('the command', { concurrency: 1 }, () => {
        const report = new Report();
        const random = randomFrom(seed);
        let sweep;

        before(() => { sweep = new Sweep(new World('database'), report); });
        after(() => sweep.world.close());

        for (const scenario of commandScenarios) {
            it(`does nothing by halves: ${scenario.name}`, async () => {
                await sample(sweep, scenario, random);
                assert.equal(told(report), '');
            });
        }
    });
});

describe('what the sweep would find', { concurrency: 1 }, () => {
    const gate = requestScenarios.find(({ name }) => name === 'gate, passes, known');
    const nothing = { name: 'malloc', how: 'before', error: 12, nth: 1e6, span: 1 };
    const broken = { name: 'write', how: 'before', error: 5, nth: 1, span: 1 };
    let sweep;

    before(async () => { sweep = new Sweep(await new World('database').start(), new Report()); });
    after(() => sweep.world.close());

    // What is told of a scenario like the gate's with other parts.
    const find = async (parts, fault = nothing) => {
        sweep.report = new Report();
        await sweep.run({ ...gate, ...parts }, [fault]);
        return told(sweep.report);
    };

    it('is nothing where nothing is wrong', async () => {
        assert.equal(await find({}), '');
        assert.equal(await find({}, broken), '');
        assert.equal(sweep.report.injected, 1);
    });
    it('is an answer that should not be', async () =>
        assert.match(await find({ act: (client) => client.check({ headers: { cookie: 'x=y' } }) }), /answered with 401/));
    it('is another user', async () =>
        assert.match(await find({ right: (answer) => answer.headers['remote-user'] === 'bob' }), /answered with 204/));
    it('is a process that dies', async () => assert.match(await find({
        act: async (client) => {
            const answer = await client.check();
            const [pid] = sweep.world.pids('gate');
            killAll([pid], 'SIGSEGV');
            await until('its end', () => !sweep.world.pids('gate').includes(pid));
            return answer;
        },
    }), /died of signal 11/));
    it('is what does not hold afterwards', async () =>
        assert.match(await find({ check: () => { throw new Error('does not hold'); } }), /does not hold/));
    it('is a database that is not sound', async () => {
        await sweep.world.signedIn();
        sweep.world.sql('PRAGMA foreign_keys = OFF; UPDATE session SET user_id = 4711');
        assert.throws(() => sweep.world.audit(), /not sound/);
    });
});
