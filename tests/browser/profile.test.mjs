// What depends on the browser's own settings and on its being closed: cookies.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Install, alice } from '../web/support/install.mjs';
import { nginx, secret } from '../web/support/servers.mjs';
import { launchWithProfile, openPage, signIn } from './support/chromium.mjs';
import { protectedPage, textOf } from './support/rounds.mjs';

describe('a browser', () => {
    let install;
    let web;
    let target;

    before(async () => {
        install = await new Install().init().serve();
        web = await nginx.start(install);
        target = `http://127.0.0.1:${web.port}${protectedPage}`;
    });
    after(async () => {
        await web?.stop();
        assert.equal(await install?.close(), 0);
    });

    async function withProfile(folder, act) {
        const context = await launchWithProfile(folder);
        try {
            const page = await openPage(context, target);
            await page.goto(target);
            await act(page);
            assert.deepEqual(page.faults, []);
        } finally {
            await context.close();
        }
    }

    it('that takes no cookies is told why nobody can sign in', async () => {
        const folder = install.makeFolder('profile-without-cookies');
        mkdirSync(path.join(folder, 'Default'));
        writeFileSync(path.join(folder, 'Default', 'Preferences'), JSON.stringify({
            profile: { default_content_setting_values: { cookies: 2 } },
        }));
        await withProfile(folder, async (page) => {
            await signIn(page, alice);
            assert.match(await page.getByRole('alert').innerText(), /cookies are switched off/);
            assert.deepEqual(await page.context().cookies(), []);
        });
    });

    for (const remember of [false, true]) {
        it(`that was closed ${remember ? 'still knows who asked to be kept' : 'has forgotten everybody else'}`,
            async () => {
                const folder = install.makeFolder(`profile-${remember}`);
                await withProfile(folder, async (page) => {
                    await signIn(page, alice, { remember });
                    await page.waitForURL('**/private/**');
                });
                await withProfile(folder, async (page) => {
                    assert.equal((await textOf(page)).includes(secret), remember);
                    assert.equal(page.url() === target, remember);
                });
            });
    }
});
