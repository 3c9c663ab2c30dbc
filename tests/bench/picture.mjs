// The picture of how checks scale, as an SVG: panels one below the other over the same axis of
// sessions. Text is text, large enough to be read at half the size; colours follow the reader's
// scheme, on a ground of their own; each line has its name at its end and a mark of its own shape, so
// that nothing hangs on colour.
import { grouped } from './numbers.mjs';

const width = 560;
const margin = { left: 56, right: 158, top: 14, bottom: 66 };
const panel = { height: 210, title: 44, gap: 30 };
const inset = 20;        // of the first and the last point
const labelSpace = 22;   // from one name to the next
const dodge = 8;         // between two lines, so that none hides another
const end = width - margin.right;

const style = `
svg { --ground: #fbfcfb; --ink: #17211f; --soft: #55615d; --rule: #dfe5e3; --axis: #8b9894;
  --c0: #66726e; --c1: #0b6157; --c2: #b04a12; --c3: #5a48b8; }
@media (prefers-color-scheme: dark) {
  svg { --ground: #101413; --ink: #e8eeec; --soft: #a8b4b0; --rule: #2a3331; --axis: #66736f;
    --c0: #9aa6a2; --c1: #62cdbb; --c2: #f2a56f; --c3: #b6abff; }
}
text { font: 17px -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif;
  fill: var(--soft); font-variant-numeric: tabular-nums; }
.ground { fill: var(--ground); }
.title { font-size: 19px; font-weight: 600; fill: var(--ink); }
.name { font-weight: 600; }
.rule { stroke: var(--rule); }
.axis { stroke: var(--axis); }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.spread { stroke-width: 1.5; opacity: .55; }
.lead { stroke-width: 1; opacity: .6; }
.mark { stroke: var(--ground); stroke-width: 1.5; }
${[0, 1, 2, 3].map((i) => `.s${i} { stroke: var(--c${i}); } .f${i} { fill: var(--c${i}); }`).join('\n')}
.s0.line { stroke-width: 3; stroke-dasharray: 0.1 6.5; }`;

const number = (value) => String(Math.round(value * 10) / 10);
const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const text = (x, y, words, { anchor = 'start', kind = '' } = {}) =>
    `<text x="${number(x)}" y="${number(y)}" text-anchor="${anchor}"${kind ? ` class="${kind}"` : ''}>${escape(words)}</text>`;
const line = (x1, y1, x2, y2, kind) =>
    `<line x1="${number(x1)}" y1="${number(y1)}" x2="${number(x2)}" y2="${number(y2)}" class="${kind}"/>`;

// 30000 as "30k".
function shortened(value) {
    const [divisor, unit] = [[1e6, 'M'], [1e3, 'k'], [1, '']].find(([size]) => Math.abs(value) >= size) ?? [1, ''];
    return `${number(value / divisor)}${unit}`;
}

// 1, 2 or 5 times a power of ten, so that three to six steps reach `greatest`.
function stepFor(greatest) {
    const power = 10 ** Math.floor(Math.log10(greatest / 3));
    return power * ([1, 2, 5, 10].find((factor) => greatest / (power * factor) <= 5.5));
}

// Heights as near to those that are wanted as can be with space between them.
function settleLabels(wanted, top, bottom) {
    const order = wanted.map((y, i) => ({ y, i })).sort((a, b) => a.y - b.y);
    for (let pass = 0; pass < 50; pass++) {
        order.forEach((label, k) => {
            const above = order[k - 1];
            const overlap = above ? labelSpace - (label.y - above.y) : 0;
            if (overlap > 0) {
                above.y -= overlap / 2;
                label.y += overlap / 2;
            }
        });
        order.forEach((label, k) => {
            label.y = Math.min(Math.max(label.y, top + k * labelSpace), bottom - (order.length - 1 - k) * labelSpace);
        });
    }
    return order.sort((a, b) => a.i - b.i).map(({ y }) => y);
}

// A mark of each line's own shape; none for the reference.
function mark(i, x, y) {
    const [at, left, right, up, down] = [x, x - 4.5, x + 4.5, y - 4.5, y + 4.5].map(number);
    const shapes = [
        '',
        `<circle cx="${at}" cy="${number(y)}" r="5" class="mark f1"/>`,
        `<path d="M${left} ${up}H${right}V${down}H${left}Z" class="mark f2"/>`,
        `<path d="M${at} ${number(y - 6.5)}L${number(x + 6)} ${number(y)}L${at} ${number(y + 6.5)}L${number(x - 6)} ${number(y)}Z" class="mark f3"/>`,
    ];
    return shapes[i];
}

function drawSeries(i, points, xOf, yOf) {
    const x = (point) => xOf(point.x) + (i === 0 ? 0 : (i - 2) * dodge);
    const path = points.map((point, k) => `${k === 0 ? 'M' : 'L'}${number(x(point))} ${number(yOf(point.median))}`).join('');
    return [
        ...points.map((point) => line(x(point), yOf(point.least), x(point), yOf(point.greatest), `spread s${i}`)),
        `<path d="${path}" class="line s${i}"/>`,
        ...points.map((point) => mark(i, x(point), yOf(point.median))).filter(Boolean),
    ];
}

function drawPanel({ title, digits, series }, names, top, xOf) {
    const bottom = top + panel.height;
    const greatest = Math.max(...names.flatMap((name) => series[name].map((point) => point.greatest)));
    const step = stepFor(greatest);
    const highest = Math.ceil(greatest / step) * step;
    const yOf = (value) => bottom - (value / highest) * panel.height;
    const parts = [text(14, top - 18, title, { kind: 'title' })];
    for (let value = 0; value <= highest; value += step) {
        parts.push(line(margin.left, yOf(value), end, yOf(value), value === 0 ? 'axis' : 'rule'),
            text(margin.left - 10, yOf(value) + 6, shortened(value), { anchor: 'end' }));
    }
    names.forEach((name, i) => parts.push(...drawSeries(i, series[name], xOf, yOf)));
    const last = names.map((name) => series[name].at(-1));
    settleLabels(last.map(({ median }) => yOf(median)), top, bottom).forEach((y, i) => {
        const value = last[i].median;
        const words = `${names[i].replace(' responder', '')} ${digits === 0 ? grouped(Math.round(value)) : value.toFixed(digits)}`;
        parts.push(line(end - 6, yOf(value), end + 10, y, `lead s${i}`),
            text(end + 14, y + 6, words, { kind: `name f${i}` }));
    });
    return parts;
}

function drawAxis(sizes, xOf, bottom) {
    return [
        ...sizes.flatMap((x) => [line(xOf(x), bottom, xOf(x), bottom + 6, 'axis'),
            text(xOf(x), bottom + 25, shortened(x), { anchor: 'middle' })]),
        text((margin.left + end) / 2, bottom + 50, 'live sessions', { anchor: 'middle' }),
    ];
}

// What somebody is told who does not see the picture.
function describe(panels, names, sizes) {
    const ends = (points, digits) => [points[0], points.at(-1)]
        .map(({ median }) => (digits === 0 ? grouped(Math.round(median)) : median.toFixed(digits)));
    return panels.map(({ title, digits, series }) => `${title}, with ${grouped(sizes[0])} and with ${grouped(sizes.at(-1))} ` +
        `live sessions: ${names.map((name) => `${name} ${ends(series[name], digits).join(' and ')}`).join('; ')}.`).join(' ');
}

// `panels` are { title, digits, series: { name: [{ x, median, least, greatest }] } }, of up to four
// names, the same in each; `reference` is the one that is drawn dotted. Returns the SVG's text.
export function drawScaling(reference, panels) {
    const [{ series }] = panels;
    const names = [reference, ...Object.keys(series).filter((name) => name !== reference)];
    const sizes = series[reference].map(({ x }) => x);
    const [from, to] = [sizes[0], sizes.at(-1)].map(Math.log10);
    const xOf = (x) => margin.left + inset + (Math.log10(x) - from) / (to - from) * (end - margin.left - 2 * inset);
    const tops = panels.map((_, i) => margin.top + panel.title + i * (panel.height + panel.title + panel.gap));
    const bottom = tops.at(-1) + panel.height;
    const height = bottom + margin.bottom;
    return [
        `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title what">`,
        '<title id="title">Session checks with ever more live sessions</title>',
        `<desc id="what">${escape(describe(panels, names, sizes))}</desc>`,
        `<style>${style}\n</style>`,
        `<rect class="ground" width="${width}" height="${height}" rx="10"/>`,
        ...panels.flatMap((one, i) => drawPanel(one, names, tops[i], xOf)),
        ...drawAxis(sizes, xOf, bottom),
        '</svg>\n',
    ].join('\n');
}
