// Whether two series of times differ, as Reparaz, Balasch and Verbauwhede ask (dudect, DATE 2017), with what can be
// seen over a socket beside it.

const sum = (values) => values.reduce((a, b) => a + b, 0);
const mean = (values) => sum(values) / values.length;
const variance = (values, middle = mean(values)) => sum(values.map((value) => (value - middle) ** 2)) / (values.length - 1);
const sorted = (values) => Float64Array.from(values).sort();

// Of a list that is sorted.
const quantile = (list, part) => list[Math.min(Math.floor(list.length * part), list.length - 1)];

// Welch's t; beyond 4.5 chance makes it once in some hundred thousand times.
export function welchT(a, b) {
    return (mean(a) - mean(b)) / Math.sqrt(variance(a) / a.length + variance(b) / b.length);
}

// Without the slowest tenth of both together: what else the machine did.
export function crop(a, b) {
    const limit = quantile(sorted([...a, ...b]), 0.9);
    return [a, b].map((values) => values.filter((value) => value <= limit));
}

// The two-sided p of the normal distribution (Abramowitz and Stegun 7.1.26).
function twoSided(z) {
    const x = Math.abs(z) / Math.SQRT2;
    const t = 1 / (1 + 0.3275911 * x);
    const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return series * Math.exp(-x * x);
}

// p of Mann and Whitney: whether one of each is as often the faster one.
export function mannWhitneyP(a, b) {
    const all = [...a.map((value) => [value, 0]), ...b.map((value) => [value, 1])].sort((x, y) => x[0] - y[0]);
    let ranks = 0;
    all.forEach(([, series], i) => { if (series === 0) ranks += i + 1; });
    const u = ranks - a.length * (a.length + 1) / 2;
    const spread = Math.sqrt(a.length * b.length * (a.length + b.length + 1) / 12);
    return twoSided((u - a.length * b.length / 2) / spread);
}

// The difference of the medians, with the interval that holds it 99 times in 100 (by resampling).
export function medianDifference(a, b, rounds = 500) {
    const middle = (values) => quantile(sorted(values), 0.5);
    const again = (values) => middle(Array.from(values, () => values[Math.floor(Math.random() * values.length)]));
    const all = sorted(Array.from({ length: rounds }, () => again(a) - again(b)));
    return { value: middle(a) - middle(b), low: quantile(all, 0.005), high: quantile(all, 0.995), of: middle(b) };
}

// What could be seen of a difference from outside: `bound` below that is none.
export function compare(a, b, bound) {
    const median = medianDifference(a, b);
    const t = welchT(...crop(a, b));
    const limit = bound(median.of);
    return { t, p: mannWhitneyP(a, b), median, limit, differ: Math.abs(t) > 4.5 && (median.low > limit || median.high < -limit) };
}
