// What can be measured of a page's looks. Each of these functions but the last runs inside the page
// and lists what is wrong, as sentences.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// What sticks out to the side, or makes the page scroll there.
export function findOverflow() {
    const root = document.documentElement;
    const wide = root.scrollWidth > root.clientWidth
        ? [`the page is ${root.scrollWidth} px wide in a window of ${root.clientWidth}`] : [];
    for (const element of document.body.querySelectorAll('*:not(script):not(.unseen)')) {
        const box = element.getBoundingClientRect();
        if (box.width > 0 && (box.left < -0.5 || box.right > root.clientWidth + 0.5)) {
            wide.push(`<${element.localName}> reaches from ${box.left} to ${box.right}`);
        }
    }
    return wide;
}

// Fields, buttons and links that are smaller than 24 px (WCAG 2.2, 2.5.8; links within a sentence
// are excepted there).
export function findSmallTargets() {
    const small = [];
    for (const element of document.querySelectorAll('a, button, input:not([type=hidden])')) {
        if (element.hidden) continue;
        const siblings = [...element.parentNode.childNodes].filter((node) => node !== element);
        const isInSentence = element.localName === 'a'
            && siblings.some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== '');
        // A click on the label is one on its box.
        const box = (element.closest('label') ?? element).getBoundingClientRect();
        if (!isInSentence && Math.min(box.width, box.height) < 24) {
            small.push(`<${element.localName}> "${element.textContent}" is ${box.width} × ${box.height} px`);
        }
    }
    return small;
}

// Text below 4.5:1, borders and areas of controls below 3:1 (WCAG 2.2, 1.4.3 and 1.4.11). The ratio
// is that of the colours on top of each other where the element is.
export function findWeakContrast() {
    const parse = (color) => {
        const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number);
        return { rgb: [r, g, b], a };
    };
    const luminance = ([r, g, b]) => {
        const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92
            : ((c / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const ratio = (one, two) => {
        const [dark, light] = [luminance(one), luminance(two)].sort((x, y) => x - y);
        return (light + 0.05) / (dark + 0.05);
    };
    // The first opaque colour at the element's middle, from the element itself or from below it.
    const backdrop = (element, isWithItself) => {
        element.scrollIntoView({ block: 'center' });
        const box = element.getBoundingClientRect();
        const stack = document.elementsFromPoint(box.left + box.width / 2, box.top + box.height / 2);
        const start = stack.indexOf(element);
        const layers = start >= 0 ? stack.slice(start + (isWithItself ? 0 : 1)) : [];
        for (let node = element.parentElement; start < 0 && node; node = node.parentElement) layers.push(node);
        for (const layer of layers) {
            const { rgb, a } = parse(getComputedStyle(layer).backgroundColor);
            if (a === 1) return rgb;
        }
        const canvas = document.createElement('div');
        canvas.style.color = 'Canvas';
        document.body.append(canvas);
        const { rgb } = parse(getComputedStyle(canvas).color);
        canvas.remove();
        return rgb;
    };
    const weak = [];
    const demand = (element, what, least, one, two) => {
        const found = ratio(one, two);
        if (found < least) {
            weak.push(`<${element.localName}> ${what}: ${found.toFixed(2)}:1, rgb(${one}) on rgb(${two})`);
        }
    };
    for (const element of document.body.querySelectorAll('*:not(script):not(.unseen)')) {
        if (element.getClientRects().length === 0) continue;
        const style = getComputedStyle(element);
        const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE
            && node.data.trim() !== '');
        if (hasText || element.matches('input:not([type=checkbox])')) {
            demand(element, `text "${element.textContent}"`, 4.5, parse(style.color).rgb, backdrop(element, true));
        }
        if (element.matches('input')) {
            const border = parse(style.borderTopColor).rgb;
            demand(element, 'border', 3, border, backdrop(element, false));
            demand(element, 'border to its inside', 3, border, backdrop(element, true));
        }
        if (element.matches('button[type=submit], .button') && !matchMedia('(forced-colors: active)').matches) {
            const area = parse(style.backgroundColor);
            const edge = area.a === 0 ? parse(style.borderTopColor) : area;
            demand(element, 'area or edge', 3, edge.rgb, backdrop(element, false));
        }
    }
    return weak;
}

// Whether the element that has the focus shows it: an outline of 2 px or more that stands out
// against what is around it by 3:1.
export function describeFocus() {
    const style = getComputedStyle(document.activeElement);
    return {
        id: document.activeElement.id || document.activeElement.name || document.activeElement.textContent.trim(),
        isVisible: document.activeElement.matches(':focus-visible') && style.outlineStyle === 'solid'
            && parseFloat(style.outlineWidth) >= 2,
        color: style.outlineColor,
    };
}

// What axe-core finds against WCAG 2.2 AA and good practice, with the reason.
export async function findViolations(page) {
    await page.evaluate(axeSource);
    const { violations } = await page.evaluate(() => window.axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
        rules: { 'target-size': { enabled: true } },
        resultTypes: ['violations'],
    }));
    return violations.map(({ id, help, nodes }) =>
        `${id}: ${help}: ${nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`);
}
