// Signing in and out in the browser, behind each web server.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { alice } from '../web/support/install.mjs';
import { secret, servers } from '../web/support/servers.mjs';
import { signIn, signOut } from './support/chromium.mjs';
import { Rounds, goBack, pathOf, protectedPage, textOf, waitForFocus } from './support/rounds.mjs';

const session = async (context) => (await context.cookies()).find(({ name }) => name === 'latchkey');

// Goes back as far as the history leads; nothing of what was protected may come up again.
async function goBackThroughAll(page) {
    const seen = [];
    for (let i = 0; i < 5; i++) {
        await goBack(page);
        seen.push(pathOf(page));
        const text = await page.content();
        assert.ok(!text.includes(secret), `${pathOf(page)} shows what is protected`);
        assert.ok(!text.includes('Alice Example'), `${pathOf(page)} shows who was signed in`);
    }
    return seen;
}

async function signInThenOutThenBack(page) {
    await page.goto('/public/page.html');
    await page.goto(protectedPage);
    await signIn(page, alice);
    await page.waitForURL(`**${protectedPage}`);
    assert.ok((await textOf(page)).includes(secret));
    await page.goto('/auth/account');
    assert.ok((await textOf(page)).includes('Alice Example'));
    await signOut(page);
    await page.waitForURL('**/auth/login?signed-out');
    const seen = await goBackThroughAll(page);
    // Where the protected page was there is the way to it again, asked of the server anew.
    assert.ok(seen.some((path) => path.startsWith('/auth/login?next=')), seen.join(' '));
}

// Signing out in the browser also empties its cache; here only what pages say of themselves counts.
// (Chromium may keep even a no-store page for three minutes while no cookie changes, so this is
// looked at without kept pages only.)
const endElsewhereThenBack = (rounds) => async (page) => {
    await page.goto(protectedPage);
    await signIn(page, alice);
    await page.waitForURL(`**${protectedPage}`);
    await page.goto('/public/page.html');
    rounds.install.do(['session', 'revoke-user', 'alice']);
    await goBack(page);
    assert.ok(!(await page.content()).includes(secret));
    assert.match(pathOf(page), /^\/auth\/login\?next=/);
};

for (const server of servers) {
    describe(`behind ${server.name}`, () => {
        let rounds;
        before(async () => { rounds = await Rounds.start(server); });
        after(() => rounds?.stop());

        it('whoever signs in is back at the page first asked for', () => rounds.visit(async (page) => {
            await page.goto(protectedPage);
            assert.equal(await page.title(), 'Sign in · Test & Site');
            await waitForFocus(page, 'username');
            await signIn(page, alice);
            await page.waitForURL('**/private/**');
            assert.equal(pathOf(page), protectedPage);
            assert.ok((await textOf(page)).includes(secret));
        }));

        it('after signing out, the back button shows nothing protected', () =>
            rounds.visit(signInThenOutThenBack));

        it('after the session was ended elsewhere, it shows nothing either', () =>
            rounds.visit(endElsewhereThenBack(rounds)));

        it('signing out says so, and once only', () => rounds.visit(async (page) => {
            await page.goto('/auth/login');
            await signIn(page, alice);
            await signOut(page);
            assert.equal(await page.getByRole('status').innerText(), 'You are signed out.');
            await page.goto(protectedPage);
            assert.equal(await page.getByRole('status').count(), 0);
        }));

        it('a wrong password is told so that everybody notices', () => rounds.visit(async (page) => {
            await page.goto(protectedPage);
            await signIn(page, { name: 'alice', password: 'not the password' }, { remember: true });
            const alert = page.getByRole('alert');
            assert.match(await alert.innerText(), /do not go together/);
            const id = await alert.getAttribute('id');
            for (const label of ['User name', 'Password']) {
                const field = page.getByLabel(label, { exact: true });
                assert.equal(await field.getAttribute('aria-describedby'), id);
                assert.equal(await field.getAttribute('aria-invalid'), 'true');
            }
            assert.equal(await page.getByLabel('User name').inputValue(), 'alice');
            assert.equal(await page.getByLabel('Password', { exact: true }).inputValue(), '');
            await waitForFocus(page, 'password');
            assert.ok(await page.getByLabel('Keep me signed in').isChecked());
            // The way back is not forgotten.
            await signIn(page, alice);
            await page.waitForURL('**/private/**');
            assert.equal(pathOf(page), protectedPage);
        }));

        it('the account page says who it is and leads out', () => rounds.visit(async (page) => {
            await page.goto('/auth/account');
            await signIn(page, alice);
            await page.waitForURL('**/auth/account');
            const text = await textOf(page);
            for (const what of ['Alice Example', 'alice', 'alice@example.org', 'staff', '127.0.0.1']) {
                assert.ok(text.includes(what), what);
            }
            await page.getByRole('button', { name: 'Sign out' }).click();
            await page.waitForURL('**/auth/login?signed-out');
        }));

        it('who stays signed in does so', () => rounds.visit(async (page) => {
            await page.goto('/auth/login');
            await signIn(page, alice);
            await page.goto('/auth/logout');
            await page.getByRole('link', { name: 'Stay signed in' }).click();
            await page.waitForURL('**/auth/account');
        }));

        it('a session lasts as long as the browser, or is kept on request', () =>
            rounds.visit(async (page, context) => {
                await page.goto('/auth/login');
                await signIn(page, alice);
                await page.waitForURL('**/auth/account');
                assert.equal((await session(context)).expires, -1);
                await signOut(page);
                await page.waitForURL('**/auth/login?signed-out');
                await signIn(page, alice, { remember: true });
                await page.waitForURL('**/auth/account');
                const { expires, httpOnly, sameSite } = await session(context);
                assert.ok(Math.abs(expires - Date.now() / 1000 - 30 * 86400) < 60, String(expires));
                assert.ok(httpOnly);
                assert.equal(sameSite, 'Lax');
                await rounds.visit(async (later) => {
                    await later.goto(protectedPage);
                    assert.equal(pathOf(later), protectedPage);
                }, { storageState: await context.storageState() });
            }));

        it('a login form from before all secrets were revoked asks to try again', () =>
            rounds.visit(async (page) => {
                await page.goto(protectedPage);
                rounds.install.do(['secret', 'revoke']);
                await signIn(page, alice);
                assert.match(await page.getByRole('alert').innerText(), /try again/);
                assert.equal(await page.getByLabel('User name').inputValue(), 'alice');
                assert.equal(await page.getByLabel('Password', { exact: true }).inputValue(), '');
                await signIn(page, alice);
                await page.waitForURL('**/private/**');
                assert.equal(pathOf(page), protectedPage);
            }));

        it('a logout form from before all secrets were revoked does nothing, and says so', () =>
            rounds.visit(async (page) => {
                await page.goto('/auth/login');
                await signIn(page, alice);
                await page.goto('/auth/logout');
                rounds.install.do(['secret', 'revoke']);
                await page.getByRole('button', { name: 'Sign out' }).click();
                await page.getByRole('heading', { name: 'Nothing was done' }).waitFor();
                await page.getByRole('link', { name: 'Go to your account' }).click();
                await page.waitForURL('**/auth/login?next=%2Fauth%2Faccount');
            }));
    });

    describe(`behind ${server.name}, with pages kept for the back button`, () => {
        let rounds;
        before(async () => { rounds = await Rounds.start(server, { keepPages: true }); });
        after(() => rounds?.stop());

        it('open pages are kept, so the next test means something', () => rounds.visit(async (page) => {
            await page.goto('/public/page.html');
            await page.evaluate(() => { window.isKept = true; });
            await page.goto('/auth/login');
            await goBack(page);
            assert.ok(await page.evaluate(() => window.isKept));
        }));

        it('after signing out, the back button shows nothing protected', () =>
            rounds.visit(signInThenOutThenBack));

        it('a page of ours that was kept is asked for anew', () => rounds.visit(async (page) => {
            await page.goto('/auth/login');
            const again = page.waitForRequest('**/auth/login');
            await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
            await again;
            await page.waitForLoadState();
        }));
    });
}
