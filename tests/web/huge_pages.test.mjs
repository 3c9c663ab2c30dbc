// Huge pages for hashing: asked for by the programs that hash, and by no other.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Browser } from './support/http.mjs';
import { Install, alice, plainPrograms, programs } from './support/install.mjs';
import { findWorkers } from './support/processes.mjs';
import { lighttpd } from './support/servers.mjs';

const mebibytes = 128;
const kernelHas = existsSync('/sys/kernel/mm/transparent_hugepage');

// Whether a process has a mapping for which huge pages were asked, as large as a hash's.
function hasAsked(pid) {
    const mappings = readFileSync(`/proc/${pid}/smaps`, 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
    return mappings.some((mapping) => / hg( |$)/m.test(mapping) &&
        Number(/^Size: +(\d+) kB/m.exec(mapping)[1]) >= mebibytes * 1024);
}

describe('huge pages', () => {
    let install;
    let web;

    before(async () => {
        install = await new Install({ password: { memory: `${mebibytes}M`, passes: 8 }, workers: { login: 1 } }).init().serve();
        web = await lighttpd.start(install);
    });
    after(async () => {
        await web?.stop();
        assert.equal(await install?.close(), 0);
    });

    it('only login and account have an mmap of their own', () => {
        for (const folder of [programs, plainPrograms]) {
            for (const name of ['login', 'logout', 'account', 'gate']) {
                const { status, stdout } = spawnSync('nm', ['-D', '--defined-only', path.join(folder, name)], { encoding: 'utf8' });
                assert.equal(status, 0);
                assert.equal(/ T mmap$/m.test(stdout), ['login', 'account'].includes(name), name);
                assert.doesNotMatch(stdout, / mmap64$/m);
            }
        }
    });

    it('are asked for while somebody signs in, and given back', { skip: !kernelHas }, async () => {
        const [, worker] = findWorkers(install, 'login'); // the first is the porter
        let isDone = false;
        let wasSeen = false;
        assert.ok(!hasAsked(worker));
        const signIn = new Browser(web.port).signIn(alice).finally(() => { isDone = true; });
        while (!isDone && !wasSeen) {
            wasSeen = hasAsked(worker);
            await sleep(1);
        }
        assert.equal((await signIn).status, 303);
        assert.ok(wasSeen);
        assert.ok(!hasAsked(worker));
    });

    it('a wrong password stays wrong', async () => {
        const answer = await new Browser(web.port).signIn({ ...alice, password: 'correct horse battery stapler' });
        assert.equal(answer.status, 403);
    });
});
