// What is promised of each measure, and whether it is kept.
import { median, ratios } from './numbers.mjs';

// `must` is what has to be kept, `reach` what is striven for; `better` says on which side of them
// it is good to be. What has a reference is judged by its ratio to that, round by round. Of what is
// promised `always`, the worst round counts instead of the best.
export const limits = {
    checks: { must: 0.95, reach: 1.10, better: 'more' },
    million: { must: 0.90, reach: 1.05, better: 'more' },
    busy: { must: 0.85, reach: 1.00, better: 'more' },
    p99: { must: 1.2, reach: 1.0, better: 'less' },
    pages: { must: 0.8, better: 'more' },
    stall: { must: 1000, better: 'less', always: true, unit: 'ms', digits: 0 },
    signIns: { must: 0.95, reach: 0.99, better: 'more' },
    flood: { must: 3, reach: 1.5, better: 'less' },
    start: { must: 6, reach: 3, better: 'less' },
    idle: { must: 12, reach: 6, better: 'less', unit: 'MB', digits: 1 },
    growth: { must: 0.5, better: 'less', unit: 'MB' },
    bytes: { must: 300, reach: 200, better: 'less', unit: 'bytes', digits: 0 },
    purge: { must: 20, better: 'less', unit: 'ms', digits: 1 },
};

// A measure is { name, limit, values, reference }: a name for people, one of `limits`, and what each
// round gave. Returns it with what it is judged by:
//     measured       the ratios or values of the rounds
//     median, least, greatest   of those
//     verdict        "reached", "met", "within the spread" (the median misses what must be, and some
//                    round kept it: this run cannot tell), "missed" (no round kept it)
export function judge(measure) {
    const { values, reference, limit } = measure;
    const { must, reach, better, always = false } = limit;
    if (values.length === 0 || (reference && reference.length !== values.length)) {
        throw new Error(`${measure.name}: not a value for every round`);
    }
    const measured = reference ? ratios(values, reference) : values;
    if (!measured.every(Number.isFinite)) throw new Error(`${measure.name}: ${measured.join(', ')} are not all numbers`);
    const middle = median(measured);
    const least = Math.min(...measured);
    const greatest = Math.max(...measured);
    const keeps = (value, bound) => bound !== undefined && (better === 'more' ? value >= bound : value <= bound);
    const best = better === 'more' ? greatest : least;
    const worst = better === 'more' ? least : greatest;
    const decide = () => {
        if (always) return keeps(worst, must) ? 'met' : 'missed';
        if (keeps(middle, reach)) return 'reached';
        if (keeps(middle, must)) return 'met';
        return keeps(best, must) ? 'within the spread' : 'missed';
    };
    return { ...measure, measured, median: middle, least, greatest, verdict: decide() };
}
