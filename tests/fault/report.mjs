// What came of all cases: a table of scenarios and functions, and each way in which something was
// wrong, once.
import { describeFault } from './calls.mjs';

export class Report {
    constructor({ print = () => {} } = {}) {
        this.print = print;
        this.rows = new Map();
        this.failures = new Map();
        this.cases = 0;
        this.injected = 0;
    }

    note({ world, scenario, faults, injected, outcome }) {
        const key = [world.build, world.store, scenario.name, faults.length > 1 ? '(two at random)' : faults[0].name].join('\t');
        if (!this.rows.has(key)) this.rows.set(key, { cases: 0, injected: 0, outcomes: {} });
        const row = this.rows.get(key);
        row.cases++;
        row.injected += injected;
        row.outcomes[outcome] = (row.outcomes[outcome] ?? 0) + 1;
        this.cases++;
        this.injected += injected;
    }

    fail({ world, scenario, faults, told, error, log }) {
        const message = String(error.message ?? error).split('\n')[0].replace(/\d{4,}/g, 'N');
        const key = `${scenario.name}|${faults.map(({ name }) => name)}|${message}`;
        const text = `${world.build}, ${world.store}: ${scenario.name}; ${faults.map(describeFault).join(' and ')} ` +
            `(${told.map(({ injected, object, offset }) => injected > 0 ? `${object}+0x${offset.toString(16)}` : '-').join(', ')}): ${message}`;
        if (!this.failures.has(key)) {
            this.failures.set(key, { text, times: 0, stack: error.stack, log });
            this.print(`WRONG ${text}`);
        }
        this.failures.get(key).times++;
    }

    // Lines of tab-separated columns.
    table() {
        return ['build\tstore\tscenario\tfunction\tcases\tfaults\toutcomes',
            ...[...this.rows].map(([key, { cases, injected, outcomes }]) => [key, cases, injected,
                Object.entries(outcomes).map(([name, count]) => `${name} ${count}`).join(', ')].join('\t'))].join('\n');
    }

    // The same summed up by scenario, as Markdown.
    summary() {
        const sums = new Map();
        for (const [key, { cases, injected, outcomes }] of this.rows) {
            const name = key.split('\t')[2];
            const sum = sums.get(name) ?? { cases: 0, injected: 0, right: 0, told: 0, broken: 0, left: 0, aborted: 0, lost: 0, wrong: 0 };
            sum.cases += cases;
            sum.injected += injected;
            for (const [outcome, count] of Object.entries(outcomes)) {
                const kind = outcome === 'WRONG' ? 'wrong' : outcome === 'cache lost' ? 'lost' : /, left$/.test(outcome) ? 'left' : outcome.split(' ')[0];
                sum[kind] += count;
            }
            sums.set(name, sum);
        }
        const columns = ['cases', 'injected', 'right', 'told', 'broken', 'left', 'aborted', 'lost', 'wrong'];
        return [`| scenario | ${columns.join(' | ')} |`, `| --- |${columns.map(() => ' ---: |').join('')}`,
            ...[...sums].map(([name, sum]) => `| ${name} | ${columns.map((column) => sum[column]).join(' | ')} |`)].join('\n');
    }
}
