// The audit log, as the programs and the command line write it together, and what is found of it
// after somebody was at the database.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { signedIn } from './support/forms.mjs';
import { formFields } from './support/http.mjs';
import { alice, bob, until } from './support/install.mjs';
import { forEachStore } from './support/stores.mjs';
import { isRoot, makeUnprivileged, serveUnprivileged } from './support/unprivileged.mjs';

const list = (at, ...options) => JSON.parse(at.install.do(['audit', '--json', ...options]));
const acts = (rows, act) => rows.filter((row) => row.act === act);
const verify = (at) => at.install.try(['audit', 'verify']);

// Not with spawnSync, for the stores run side by side.
const sql = (at, text) => promisify(execFile)('sqlite3',
    ['-cmd', '.timeout 5000', path.join(at.install.state, 'latchkey.db'), text]);

function assertWhole(at) {
    const { status, stdout, stderr } = verify(at);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^\d+ rows, the chain is whole\.\n/);
}

// What a program logs comes on a pipe, later than its answer perhaps.
const logged = (at, line) => until(`the log to say ${line}`, () => line.test(at.install.log));

const command = `latchkey (uid ${process.getuid()})`;

forEachStore('the audit log', (at) => {
    it('has what the command line did', () => {
        const rows = list(at);
        assert.deepEqual(acts(rows, 'user').map(({ user, outcome, detail, program, address }) =>
            ({ user, outcome, detail, program, address })), [alice, bob].map(({ name }) =>
            ({ user: name, outcome: 'done', detail: 'added', program: command, address: '' })));
        assertWhole(at);
    });

    it('has each sign-out, with address and program, behind each web server', async () => {
        const since = new Date(Date.now() - 1000).toISOString().replace(/\.\d+Z$/, 'Z');
        for (const web of at.webs) {
            const browser = await signedIn(web.port);
            assert.equal((await browser.signOut()).status, 303);
        }
        const rows = acts(list(at, '--since', since, '--user', 'ALICE'), 'sign-out');
        assert.equal(rows.length, at.webs.length);
        for (const row of rows) {
            assert.equal(row.user, 'alice');
            assert.equal(row.outcome, 'done');
            assert.equal(row.address, '127.0.0.1');
            assert.equal(row.program, 'logout');
            assert.ok(Math.abs(row.time - Date.now() / 1000) < 60);
        }
        assert.deepEqual(acts(list(at, '--user', bob.name), 'sign-out'), []);
        assertWhole(at);
    });

    it('has a sign-out once, and none of somebody who was not signed in', async () => {
        const before = acts(list(at), 'sign-out').length;
        const browser = await signedIn(at.webs[0].port);
        const copy = browser.cookie;
        await browser.signOut();
        const page = await browser.fetch('/auth/logout', { headers: { cookie: copy } });
        assert.equal(page.status, 200);
        await browser.post('/auth/logout', formFields(page.body), { cookie: copy });
        await browser.signOut();
        assert.equal(acts(list(at), 'sign-out').length, before + 1);
    });

    it('has sessions that were ended by hand', async () => {
        await signedIn(at.webs[0].port, bob);
        const [{ id }] = JSON.parse(at.install.do(['session', 'list', 'bob', '--json']));
        at.install.do(['session', 'revoke', id]);
        at.install.do(['session', 'revoke-user', 'bob']);
        assert.deepEqual(acts(list(at, '--user', 'bob'), 'revoke').map(({ detail }) => detail),
            [`session ${id}`, 'all sessions']);
        assertWhole(at);
    });

    it('goes on whole when the secrets change under running programs', async () => {
        at.install.do(['secret', 'rotate']);
        await (await signedIn(at.webs[0].port)).signOut();
        at.install.do(['secret', 'revoke']);
        await (await signedIn(at.webs[0].port)).signOut();
        assert.deepEqual(acts(list(at), 'secret').map(({ detail }) => detail), ['rotated', 'revoked']);
        assertWhole(at);
        assert.match(verify(at).stdout, /were signed with secrets that are gone; later rows vouch/);
    });

    it('takes many at once', async () => {
        const before = acts(list(at), 'sign-out').length;
        await Promise.all(Array.from({ length: 12 }, async (_, i) => {
            await (await signedIn(at.webs[i % at.webs.length].port)).signOut();
        }));
        assert.equal(acts(list(at), 'sign-out').length, before + 12);
        assertWhole(at);
    });

    it('shows that a row was altered, and which', async () => {
        const [{ id }] = acts(list(at), 'sign-out');
        await sql(at, `UPDATE audit SET address = '203.0.113.9' WHERE id = ${id}`);
        const { status, stdout, stderr } = verify(at);
        assert.equal(status, 1);
        assert.equal(stdout, '');
        assert.match(stderr, new RegExp(`^latchkey: the audit log cannot be believed: row ${id} was altered; .*\n$`));
        await sql(at, `UPDATE audit SET address = '127.0.0.1' WHERE id = ${id}`);
        assertWhole(at);
    });

    it('shows that the last rows were removed, and the programs tell of it', async () => {
        const browser = await signedIn(at.webs[0].port);
        const last = list(at).at(-1).id;
        await sql(at, `DELETE FROM audit WHERE id > ${last - 2}`);
        assert.match(verify(at).stderr, new RegExp(`row ${last - 1} is missing`));
        assert.equal((await browser.signOut()).status, 303);
        await logged(at, /logout\[\d+\]: error: the audit log is not as it was left: .* see `latchkey audit verify`/);
        assert.match(verify(at).stderr, new RegExp(`row ${last - 1} is missing`));
    });

    it('being out of order keeps nobody from signing out', async () => {
        const browser = await signedIn(at.webs[0].port);
        const { cookie } = browser;
        await sql(at, 'ALTER TABLE audit_ends RENAME TO hidden');
        assert.equal((await browser.signOut()).status, 303);
        await sql(at, 'ALTER TABLE hidden RENAME TO audit_ends');
        const answer = await browser.fetch('/auth/session', { headers: { cookie } });
        assert.equal(answer.status, 401);
        await logged(at, /warning: the audit log does not tell of the sign-out of alice/);
    });
});

// The secret file belongs to somebody else, who alone reads it.
forEachStore('the audit log of programs that are not root', (at) => {
    it('is written by them and by the command alike', { skip: !isRoot && 'only root becomes somebody else' }, async () => {
        await (await signedIn(at.webs[0].port)).signOut();
        at.install.do(['user', 'lock', 'bob']);
        at.install.do(['secret', 'rotate']);
        await (await signedIn(at.webs[0].port)).signOut();
        at.install.do(['secret', 'revoke']);
        await (await signedIn(at.webs[0].port)).signOut();
        const rows = list(at);
        assert.deepEqual(acts(rows, 'secret').map(({ detail }) => detail), ['rotated', 'revoked']);
        assert.equal(acts(rows, 'lock').length, 1);
        assert.equal(acts(rows, 'sign-out').length, 3);
        assertWhole(at);
    });
}, { make: makeUnprivileged, serve: (at) => serveUnprivileged(at.install), only: ['database'] });
