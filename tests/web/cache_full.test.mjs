// A cache that has room for a third of the people who sign in: nobody sees an error, the newest stay
// signed in, the oldest are asked to sign in again, and the memory stays within cache.size.
// (100,000 sessions from several processes at once: tests/unit/test_cache.c.)
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { formType, openForm } from './support/forms.mjs';
import { encodeForm, request } from './support/http.mjs';
import { plainLatchkey } from './support/install.mjs';
import { get, many } from './support/replay.mjs';
import { forEachStore } from './support/stores.mjs';

const size = 2 << 20;
const people = 6000;
const newest = 500;

function used(at) {
    const files = ['cache.db', 'cache.db-wal', 'cache.db-shm'].map((name) => path.join(at.install.run, name));
    return files.reduce((sum, file) => sum + (existsSync(file) ? statSync(file).size : 0), 0);
}

forEachStore('a full cache', (at) => {
    it('keeps the newest, loses the oldest, and shows nobody an error', async () => {
        const cookies = [];
        let most = 0;
        // The same form again and again, as it was before the first sign-in.
        const form = await openForm(at.webs[0].port);
        const headers = { cookie: form.browser.cookie, 'content-type': formType };
        const body = encodeForm(form.fields);
        await many(people, async (i) => {
            const answer = await request(at.webs[i % at.webs.length].port, '/auth/login', { method: 'POST', headers, body });
            assert.equal(answer.status, 303, `sign-in ${i}`);
            const cookie = answer.cookies.find((value) => value.startsWith('latchkey='));
            cookies[i] = cookie.split(';')[0];
            most = Math.max(most, used(at));
            assert.equal((await get(at.webs[i % at.webs.length].port, '/private/page.html', cookies[i])).status, 200);
        });
        assert.ok(most <= size, `${most} bytes`);
        await many(newest, async (i) => {
            const { status } = await get(at.webs[i % at.webs.length].port, '/private/page.html', cookies[people - 1 - i]);
            assert.equal(status, 200, `the newest but ${i}`);
        });
        const { status } = await get(at.webs[0].port, '/auth/account', cookies[0]);
        assert.equal(status, 303);
        const [, kept, gone] = /^ok: cache: .*: (\d+) sessions take .*; (\d+) had to go early/m.exec(at.install.do(['check']));
        assert.equal(Number(kept) + Number(gone), people);
        assert.ok(Number(kept) > newest);
        assert.doesNotMatch(at.install.log, /error:/);
    });
}, { only: ['cache'], settings: { cache: { size } }, serve: () => ({ command: plainLatchkey }) });
