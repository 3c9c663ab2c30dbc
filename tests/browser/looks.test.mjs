// How every page looks and behaves: at every width, in both colour schemes, enlarged, in forced
// colours; that it is accessible, and that it asks nobody else for anything.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { until } from '../web/support/install.mjs';
import { launch, openPage } from './support/chromium.mjs';
import { findOverflow, findSmallTargets, findViolations, findWeakContrast } from './support/measure.mjs';
import { Visits, pages, startSite } from './support/pages.mjs';

const loginBytesMax = 15 * 1024;

let site;
let browser;
let visits;

before(async () => {
    site = await startSite();
    browser = await launch();
    visits = new Visits(browser, site);
});
after(async () => {
    await browser?.close();
    await site?.stop();
});

async function withPage(entry, options, act) {
    const page = await visits.open(entry, options);
    try {
        await act(page);
        assert.deepEqual(page.faults, []);
    } finally {
        await page.context().close();
    }
}

for (const entry of pages) {
    describe(`the page ${entry.name}`, () => {
        let page;
        before(async () => { page = await visits.open(entry); });
        after(() => page?.context().close());

        for (const colorScheme of ['light', 'dark']) {
            it(`is accessible in ${colorScheme}`, async () => {
                await page.emulateMedia({ colorScheme });
                assert.deepEqual(await findViolations(page), []);
                assert.deepEqual(await page.evaluate(findWeakContrast), []);
                assert.deepEqual(await page.evaluate(findSmallTargets), []);
            });
        }

        it('keeps its controls in forced colours, and never moves', async () => {
            await page.emulateMedia({ forcedColors: 'active', reducedMotion: 'reduce' });
            assert.deepEqual(await page.evaluate(findWeakContrast), []);
            assert.deepEqual(await page.evaluate(findOverflow), []);
            const moving = await page.evaluate(() => [...document.querySelectorAll('*')].filter((element) => {
                const style = getComputedStyle(element);
                return style.transitionDuration !== '0s' || style.animationName !== 'none';
            }).length);
            assert.equal(moving, 0);
            await page.emulateMedia({ forcedColors: 'none' });
        });

        it('does not scroll sideways, at any width and with text twice as large', async () => {
            // 640 px at 200 % are 320 (WCAG 2.2, 1.4.10); enlarging text only is 1.4.4.
            for (const [width, fontSize] of [[320, '100%'], [360, '100%'], [768, '100%'], [1440, '100%'],
                [320, '200%'], [640, '200%'], [1440, '200%']]) {
                await page.setViewportSize({ width, height: 700 });
                await page.evaluate((size) => { document.documentElement.style.fontSize = size; }, fontSize);
                assert.deepEqual(await page.evaluate(findOverflow), [], `${width} px, text ${fontSize}`);
            }
        });

        it('does nothing wrong on the side', () => assert.deepEqual(page.faults, []));
    });
}

describe('the login page', () => {
    const login = pages.find((entry) => entry.name === 'login');

    it('is one small answer', async () => {
        const context = await browser.newContext({ baseURL: site.baseURL });
        const page = await openPage(context, site.baseURL);
        const session = await context.newCDPSession(page);
        await session.send('Network.enable');
        let bytes = 0;
        const requests = [];
        session.on('Network.requestWillBeSent', ({ request }) => requests.push(request.url));
        session.on('Network.loadingFinished', ({ encodedDataLength }) => { bytes += encodedDataLength; });
        await page.goto('/auth/login', { waitUntil: 'networkidle' });
        assert.deepEqual(requests, [`${site.baseURL}/auth/login`]);
        assert.ok(bytes > 1000 && bytes < loginBytesMax, `${bytes} bytes`);
        await context.close();
    });

    it('draws its box and its sign in forced colours too', () =>
        withPage(login, { forcedColors: 'active' }, async (page) => {
            const look = await page.evaluate(() => ({
                box: getComputedStyle(document.querySelector('[type=checkbox]')).appearance,
                button: getComputedStyle(document.querySelector('[type=submit]')).borderTopStyle,
                sign: getComputedStyle(document.querySelector('.plate')).fill,
                hole: getComputedStyle(document.querySelector('.hole')).fill,
            }));
            assert.equal(look.box, 'auto');
            assert.equal(look.button, 'solid');
            assert.notEqual(look.sign, look.hole);
        }));

    it('says what it is in its title, and its language', () => withPage(login, {}, async (page) => {
        assert.equal(await page.title(), 'Sign in · A small site');
        assert.equal(await page.getAttribute('html', 'lang'), 'en');
    }));
});

// Each measure must be able to find what it looks for.
describe('the measures', () => {
    const spoil = (act, measure) => withPage(pages[0], {}, async (page) => {
        assert.deepEqual(await measure(page), []);
        await page.evaluate(act);
        assert.notDeepEqual(await measure(page), []);
    });

    it('find what is too wide', () => spoil(
        () => { document.querySelector('h1').style.width = '3000px'; }, (page) => page.evaluate(findOverflow)));
    it('find what is too small', () => spoil(
        () => { document.querySelector('#reveal').style.height = '20px'; },
        (page) => page.evaluate(findSmallTargets)));
    it('find weak text', () => spoil(
        () => { document.querySelector('h1').style.color = '#888'; }, (page) => page.evaluate(findWeakContrast)));
    it('find weak borders', () => spoil(
        () => { document.querySelector('#password').style.borderColor = '#ddd'; },
        (page) => page.evaluate(findWeakContrast)));
    it('find fields without labels', () => spoil(
        () => { document.querySelector('label').remove(); }, findViolations));

    // The demo site's own pages have no policy that would hold such a request back.
    for (const [name, fault] of [['login', /Content Security Policy/], ['demo-open', /another host/]]) {
        it(`find what must not be loaded into ${name}`, async () => {
            const page = await visits.open(pages.find((entry) => entry.name === name));
            await page.evaluate(() => new Promise((done) => {
                const image = Object.assign(document.createElement('img'), { src: 'http://127.0.0.2:9/x.png' });
                image.addEventListener('error', done);
                document.body.append(image);
            }));
            await until('the fault', () => fault.test(page.faults.join('\n')));
            await page.context().close();
        });
    }
});
