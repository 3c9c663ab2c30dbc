// One installation, one web server and one browser for the tests of a file, with a fresh context
// for each test: `rounds.visit(act)` opens a page, and afterwards looks at what it did on the side.
import assert from 'node:assert/strict';
import { Install, until } from '../../web/support/install.mjs';
import { launch, openPage } from './chromium.mjs';

export const protectedPage = '/private/page.html?a=1&b=%20';

export class Rounds {
    static async start(server, wishes, settings) {
        const rounds = new Rounds();
        rounds.install = await new Install(settings).init().serve();
        rounds.web = await server.start(rounds.install);
        rounds.baseURL = `http://127.0.0.1:${rounds.web.port}`;
        rounds.browser = await launch(wishes);
        return rounds;
    }

    async visit(act, options = {}) {
        const context = await this.browser.newContext({ baseURL: this.baseURL, ...options });
        try {
            const page = await openPage(context, options.baseURL ?? this.baseURL);
            await act(page, context);
            assert.deepEqual(page.faults, []);
        } finally {
            await context.close();
        }
    }

    async stop() {
        await this.browser.close();
        await this.web.stop();
        assert.equal(await this.install.close(), 0);
    }
}

// Goes back and waits until a page is there, also one that was kept and so is never loaded.
export async function goBack(page) {
    await page.goBack({ waitUntil: 'commit' });
    const isThere = () => page.evaluate(() => document.readyState === 'complete').catch(() => false);
    await until('the page before', isThere);
}

export const pathOf = (page) => page.url().replace(/^https?:\/\/[^/]*/, '');

export const textOf = (page) => page.locator('body').innerText();

// The browser moves the focus to an autofocus field with its next picture, which may be after load.
export const waitForFocus = (page, id) => page.locator(`#${id}:focus`).waitFor();

export const focusedId = (page) => page.evaluate(() => document.activeElement.id);
