// Who stands behind whom when all want a processor: passwords are hashed behind everything else.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Browser } from './support/http.mjs';
import { Install, alice, until } from './support/install.mjs';
import { countProcesses, findProgram, findWorkers } from './support/processes.mjs';
import { nginx } from './support/servers.mjs';

const steps = 5;
const lowest = 19;

// The nice value (proc(5): the 19th field; the second may hold blanks).
const niceness = (pid) => Number(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')[16]);

describe('the priority of the programs', () => {
    let install;
    let web;

    before(async () => {
        install = await new Install({ workers: { login: 2, gate: 2 } }).init().serve();
        web = await nginx.start(install);
        await until('the workers', () => findWorkers(install, 'login').length === countProcesses('login', 2) && findWorkers(install, 'gate').length === 2);
    });
    after(async () => {
        await web?.stop();
        assert.equal(await install?.close(), 0);
    });

    it('what hashes passwords stands behind all others, in every process of it', () => {
        const first = niceness(install.service.pid);
        for (const name of ['login', 'logout', 'account', 'gate']) {
            const expected = ['login', 'account'].includes(name) ? Math.min(first + steps, lowest) : first;
            for (const pid of [findProgram(install, name), ...findWorkers(install, name)]) {
                assert.equal(niceness(pid), expected, `${name} ${pid}`);
            }
        }
    });

    it('a worker that takes the place of another one has the same', async () => {
        const [former] = findWorkers(install, 'login');
        process.kill(former, 'SIGKILL');
        await until('another one', () => findWorkers(install, 'login').filter((pid) => pid !== former).length === countProcesses('login', 2));
        for (const pid of findWorkers(install, 'login')) {
            assert.equal(niceness(pid), Math.min(niceness(install.service.pid) + steps, lowest));
        }
    });

    it('one can sign in all the same', async () => {
        assert.equal((await new Browser(web.port).signIn(alice)).status, 303);
    });
});
