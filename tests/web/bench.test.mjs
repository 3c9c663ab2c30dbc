// What `make bench` makes of its figures. (Measuring takes minutes and is no test; judging is one.)
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { grouped, median, spread } from '../bench/numbers.mjs';
import { Report } from '../bench/report.mjs';
import { jobs, readSettings } from '../bench/settings.mjs';
import { judge, limits } from '../bench/verdict.mjs';

const faster = { must: 0.95, reach: 1.10, better: 'more' };
const smaller = { must: 12, reach: 6, better: 'less' };
const never = { must: 1000, better: 'less', always: true };

const cases = [
    ['reached, by the median', faster, [1.00, 1.10, 1.30], 'reached'],
    ['met, by the median, though the best round reached it', faster, [0.90, 0.95, 1.20], 'met'],
    ['within the spread where one round kept it', faster, [0.80, 0.94, 0.95], 'within the spread'],
    ['missed where no round kept it', faster, [0.80, 0.90, 0.949], 'missed'],
    ['reached where less is better', smaller, [5, 6, 20], 'reached'],
    ['met where less is better', smaller, [5, 12, 20], 'met'],
    ['within the spread where less is better', smaller, [12, 13, 14], 'within the spread'],
    ['missed where less is better', smaller, [12.1, 13, 14], 'missed'],
    ['missed by a single round where there is but one', faster, [0.94], 'missed'],
    ['met always, when the worst round kept it', never, [1, 2, 1000], 'met'],
    ['missed by the one round that broke what is promised always', never, [1, 2, 1001], 'missed'],
    ['met where there is nothing to reach for', { must: 0.8, better: 'more' }, [2], 'met'],
];
for (const [name, limit, values, verdict] of cases) {
    test(`a measure is ${name}`, () => {
        assert.equal(judge({ name, limit, values }).verdict, verdict);
    });
}

test('what has a reference is judged by the ratio of each round, not of the medians', () => {
    const judged = judge({ name: 'checks', limit: faster, values: [100, 300, 480], reference: [100, 200, 400] });
    assert.deepEqual(judged.measured, [1, 1.5, 1.2]);
    assert.equal(judged.median, 1.2);
    assert.equal(judged.least, 1);
    assert.equal(judged.greatest, 1.5);
    assert.deepEqual(judged.values, [100, 300, 480], 'the figures themselves stay in the report');
});

test('a measure without a figure for every round is an error, not a verdict', () => {
    const bad = [
        { values: [] }, { values: [1, NaN] }, { values: [1, undefined] }, { values: [1, 2], reference: [1] },
        { values: [1], reference: [0] },
    ];
    for (const figures of bad) {
        assert.throws(() => judge({ name: 'broken', limit: faster, ...figures }), /broken/);
    }
});

test('a report says whether something was missed, and keeps what it judged', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-bench-'));
    const file = path.join(folder, 'bench.json');
    const report = new Report(readSettings({}, false));
    report.add({ name: 'one', limit: faster, values: [1] });
    assert.equal(report.finish(file), true);
    report.add({ name: 'two', limit: faster, values: [0.5] });
    assert.equal(report.finish(file), false);
    assert.deepEqual(JSON.parse(readFileSync(file)).measures.map(({ verdict }) => verdict), ['met', 'missed']);
    rmSync(folder, { recursive: true });
});

test('what is striven for is never less than what must be', () => {
    for (const [name, { must, reach = must, better }] of Object.entries(limits)) {
        assert.ok(better === 'more' ? reach >= must : reach <= must, name);
    }
});

test('medians and numbers are printed for people', () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
    assert.equal(spread([3, 1, 2], 1), '2.0 (1.0 to 3.0)');
    assert.equal(spread([3.14159], 2), '3.14');
    assert.equal(grouped(1000000), '1,000,000');
    assert.equal(grouped(999), '999');
});

test('the settings come from the environment', () => {
    const settings = readSettings({ ROUNDS: '9', SECONDS: '2', STORES: 'cookie', SERVERS: 'nginx', ONLY: 'checks,purge' }, false);
    assert.equal(settings.rounds, 9);
    assert.equal(settings.seconds, 2);
    assert.deepEqual(settings.stores, ['cookie']);
    assert.deepEqual(settings.servers, ['nginx']);
    assert.deepEqual(settings.jobs, ['checks', 'purge']);
    assert.deepEqual(readSettings({}, false).jobs, jobs);
    assert.ok(readSettings({}, false).rounds >= 5);
});

test('a setting that is not understood is an error, not a shorter run', () => {
    const bad = [{ ROUNDS: '0' }, { ROUNDS: 'five' }, { SECONDS: '1.5' }, { STORES: 'databse' }, { SERVERS: 'apache' }, { ONLY: ',' }];
    for (const env of bad) {
        assert.throws(() => readSettings(env, false), new RegExp(Object.keys(env)[0]), JSON.stringify(env));
    }
});
