// Figures that are kept in a document, in tables between the lines "<!-- NAME: begin -->" and
// "<!-- NAME: end -->", so that a change is seen.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../web/support/install.mjs';
import { formatTable } from './report.mjs';

const worthALine = 0.01; // of what it was

const inDocs = (name) => path.join(root, 'docs', name);

export const document = inDocs('performance.md');

// Where the machine is named but no day: the same figures leave the file as it was.
export function describeMachine({ processor, processors, system, versions }, ...others) {
    const list = Object.entries(versions).map(([name, version]) => `${name} ${version.replace(/^v/, '')}`);
    return `${processor}, ${processors} processors, ${system}; ${[...list, ...others].join(', ')}.`;
}

function splitAt(name, file) {
    const text = readFileSync(file, 'utf8');
    const [begin, end] = ['begin', 'end'].map((word) => `<!-- ${name}: ${word} -->\n`);
    const from = text.indexOf(begin) + begin.length;
    const to = text.indexOf(end);
    if (from < begin.length || to < from) throw new Error(`${file} has no place for ${name}`);
    return [text.slice(0, from), text.slice(from, to), text.slice(to)];
}

// { title: { row: { column: number } } } of the tables in a piece of Markdown.
function readFigures(text) {
    const figures = {};
    let title = '';
    let head;
    for (const line of text.split('\n')) {
        const cells = line.startsWith('|') ? line.split('|').slice(1, -1).map((cell) => cell.trim()) : undefined;
        if (!cells) {
            title = line.replaceAll('*', '') || title;
            head = undefined;
        } else if (!head) {
            head = cells;
            figures[title] = {};
        } else {
            figures[title][cells[0]] = Object.fromEntries(cells.map((cell, i) =>
                [head[i], Number.parseFloat(cell.replaceAll(',', ''))]).slice(1).filter(([, number]) => Number.isFinite(number)));
        }
    }
    return figures;
}

const namesOf = (...objects) => [...new Set(objects.flatMap((object) => Object.keys(object ?? {})))];

// "database 3 -> 2, cache 3 -> 2", or nothing.
function changesOf(before = {}, after = {}) {
    return namesOf(before, after)
        .filter((name) => !(Math.abs(after[name] - before[name]) <= Math.abs(before[name]) * worthALine))
        .map((name) => `${name} ${before[name] ?? 'none'} -> ${after[name] ?? 'none'}`).join(', ');
}

// `isPart`: what is not in `after` was not looked at.
function printChanges(before, after, isPart) {
    const told = (part, whole) => (isPart ? namesOf(part).filter((name) => whole?.[name] !== undefined) : namesOf(whole, part));
    const pick = (names, figures = {}) => Object.fromEntries(names.map((name) => [name, figures[name]]));
    console.log('Changes against the figures that were kept:');
    for (const title of told(after, before)) {
        const rows = told(after[title], before[title]).map((row) => {
            const [is, was] = [after[title]?.[row], before[title]?.[row]];
            const columns = told(is, was);
            return [row, changesOf(pick(columns, was), pick(columns, is))];
        }).filter(([, changes]) => changes);
        console.log(`  ${title}${rows.length === 0 ? ': none' : ''}`);
        for (const [row, changes] of rows) console.log(`    ${row}: ${changes}`);
    }
}

// Says what changed in tables, { title, head, rows }, and puts them in the place of those that are
// kept, in a file of docs; not where they are a part only (`isWhole`).
export function keep(name, introduction, tables, isWhole = true, inFile = 'performance.md') {
    const file = inDocs(inFile);
    const [head, before, tail] = splitAt(name, file);
    const after = `${[introduction, ...tables.flatMap((table) =>
        [`**${table.title}**`, formatTable(table.head, table.rows)])].join('\n\n')}\n`;
    printChanges(readFigures(before), readFigures(after), !isWhole);
    if (isWhole) writeFileSync(file, `${head}${after}${tail}`);
}
