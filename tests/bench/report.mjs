// What a run says: where it is, tables as they come, the verdicts at the end, and all of it as JSON.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { root } from '../web/support/install.mjs';
import { spread } from './numbers.mjs';
import { judge } from './verdict.mjs';

function firstLine(command, args) {
    const { stdout, stderr } = spawnSync(command, args,
        { cwd: root, encoding: 'utf8', env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` } });
    return `${stdout ?? ''}${stderr ?? ''}`.split('\n')[0].trim();
}

// What was measured, and where.
export function describe() {
    const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' });
    const head = git('rev-parse', 'HEAD');
    return {
        date: new Date().toISOString(),
        commit: head.status === 0 ? head.stdout.trim() : null,
        changed: head.status === 0 ? git('status', '--porcelain').stdout.trim() !== '' : null,
        processor: os.cpus()[0].model.trim(),
        processors: os.cpus().length,
        memory_MB: Math.round(os.totalmem() / 2 ** 20),
        system: `Linux ${os.release()}`,
        load: os.loadavg()[0],
        versions: {
            nginx: firstLine('nginx', ['-v']).replace(/.*\//, ''),
            lighttpd: firstLine('lighttpd', ['-v']).replace(/^lighttpd\/(\S+).*/, '$1'),
            wrk: firstLine('wrk', ['-v']).replace(/^wrk (\S+).*/, '$1'),
            node: process.version,
        },
    };
}

// A table as Markdown has it, and as one can read it.
export function formatTable(head, rows) {
    const lines = [head, ...rows].map((row) => row.map(String));
    const widths = head.map((_, i) => Math.max(...lines.map((row) => row[i].length)));
    const print = (row) => `| ${row.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
    const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
    return [print(lines[0]), rule, ...lines.slice(1).map(print)].join('\n');
}

function printTable(title, head, rows) {
    console.log(`\n${title}\n\n${formatTable(head, rows)}\n`);
}

function rowOf({ name, limit, measured, reference, verdict }) {
    const { must, reach, better, digits = 2, unit = '', always } = limit;
    const measuredIn = reference ? 'x' : unit;
    const sign = better === 'more' ? '>=' : '<=';
    const bound = (value) => (value === undefined ? '' : `${sign} ${value} ${measuredIn}`);
    return [name, `${spread(measured, digits)} ${measuredIn}`,
        `${bound(must)}${always ? ' always' : ''}`, bound(reach), verdict];
}

export class Report {
    constructor(settings) {
        this.settings = settings;
        this.machine = describe();
        this.begun = Date.now();
        this.tables = [];
        this.measures = [];
        const { processor, processors, system, load, versions } = this.machine;
        console.log(`${processor}, ${processors} processors, ${system}, load ${load.toFixed(1)} at the beginning`);
        console.log(Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', '));
    }

    sayRounds() {
        const { rounds, seconds } = this.settings;
        console.log(`${rounds} rounds of ${seconds} s each; medians, with the least and the greatest\n`);
    }

    // A line about where we are, with the minutes and seconds that have gone by.
    say(text) {
        const seconds = Math.round((Date.now() - this.begun) / 1000);
        console.log(`[${String(Math.floor(seconds / 60)).padStart(2)}:${String(seconds % 60).padStart(2, '0')}] ${text}`);
    }

    table(title, head, rows) {
        this.tables.push({ title, head, rows });
        printTable(title, head, rows);
    }

    // A measure as verdict.mjs judges it.
    add(measure) {
        this.measures.push(judge(measure));
    }

    // Prints the verdicts and writes everything to `file`; whether nothing was missed.
    finish(file) {
        printTable('Verdicts', ['measure', 'measured', 'must', 'reach for', 'verdict'], this.measures.map(rowOf));
        const missed = this.measures.filter(({ verdict }) => verdict === 'missed');
        this.write(file);
        this.say(missed.length === 0 ? 'Nothing that must be was missed' : `${missed.length} of ${this.measures.length} missed`);
        return missed.length === 0;
    }

    write(file) {
        const { machine, settings, measures, tables } = this;
        const seconds = (Date.now() - this.begun) / 1000;
        writeFileSync(file, `${JSON.stringify({ machine, settings, seconds, measures, tables }, null, 2)}\n`);
    }
}
