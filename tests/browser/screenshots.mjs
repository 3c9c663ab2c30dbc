// Pictures of every page, for those who change how pages look; those in docs/pages.md; and the two
// that README shows.
// Usage: node tests/browser/screenshots.mjs    (`make screenshots`; BUILD names the build folder)
import { mkdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { root } from '../web/support/install.mjs';
import { launch } from './support/chromium.mjs';
import { Visits, pages, startSite } from './support/pages.mjs';

const folder = path.resolve(root, process.env.BUILD ?? 'build', 'screenshots');
const schemes = ['light', 'dark'];
const readmeBytesMax = 60 * 1024;

// What docs/pages.md shows.
const shown = ['login', 'login-wrong', 'login-throttled', 'account', 'password', 'password-refused', 'devices',
    'devices-confirm', 'activity', 'link', 'logout', 'loop'];

async function takeAll(visits) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const entry of pages) {
        for (const colorScheme of schemes) {
            const page = await visits.open(entry, { colorScheme });
            for (const [width, height] of [[360, 740], [1280, 800]]) {
                await page.setViewportSize({ width, height });
                await page.screenshot({
                    path: path.join(folder, `${entry.name}-${width}-${colorScheme}.png`), fullPage: true,
                });
            }
            await page.context().close();
        }
    }
}

// As on a phone.
async function takeForDocs(visits) {
    const target = path.join(root, 'docs', 'pages');
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target, { recursive: true });
    for (const entry of shown.map((name) => pages.find((page) => page.name === name))) {
        for (const colorScheme of schemes) {
            const page = await visits.open(entry, { colorScheme, viewport: { width: 360, height: 320 } });
            const file = path.join(target, `${entry.name}-${colorScheme}.png`);
            await page.evaluate(() => document.activeElement.blur());
            await page.screenshot({ path: file, fullPage: true });
            await page.context().close();
        }
    }
}

// The login page with its surroundings, at twice the size, without a blinking caret.
async function takeForReadme(visits) {
    const login = pages.find((entry) => entry.name === 'login');
    for (const colorScheme of schemes) {
        const page = await visits.open(login, {
            colorScheme, deviceScaleFactor: 2, viewport: { width: 1000, height: 800 },
        });
        await page.getByLabel('User name').fill('alice');
        const card = await page.locator('main').boundingBox();
        const file = path.join(root, 'docs', `login-${colorScheme}.png`);
        const space = 40;
        await page.screenshot({
            path: file,
            clip: {
                x: card.x - space, y: card.y - space,
                width: card.width + 2 * space, height: card.height + 2 * space,
            },
        });
        const { size } = statSync(file);
        console.log(`${path.relative(root, file)}: ${size} bytes`);
        if (size > readmeBytesMax) throw new Error(`${file} is larger than ${readmeBytesMax} bytes`);
        await page.context().close();
    }
}

mkdirSync(path.join(root, 'docs'), { recursive: true });
const site = await startSite();
const browser = await launch();
try {
    const visits = new Visits(browser, site);
    await takeForReadme(visits);
    await takeForDocs(visits);
    await takeAll(visits);
    console.log(`all pages: ${path.relative(process.cwd(), folder)}`);
} finally {
    await browser.close();
    await site.stop();
}
