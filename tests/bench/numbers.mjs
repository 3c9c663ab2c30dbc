// What is made of the numbers of several rounds.

export function median(values) {
    const sorted = [...values].sort((a, b) => a - b);
    const middle = Math.floor(sorted.length / 2);
    return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// Each round's own ratio: what the machine did meanwhile has met both of them.
export const ratios = (values, references) => values.map((value, i) => value / references[i]);

// "12345 (12000 to 12900)", or the number alone where there was one round.
export function spread(values, digits = 0) {
    const print = (value) => value.toFixed(digits);
    const middle = print(median(values));
    return values.length === 1 ? middle : `${middle} (${print(Math.min(...values))} to ${print(Math.max(...values))})`;
}

// 1000000 as "1,000,000".
export const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ',');
