// What is wrong for good is found before the first request, and said with place and remedy.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Install, programs } from './support/install.mjs';

describe('a program run by hand', () => {
    const complete = {
        REQUEST_METHOD: 'GET', REQUEST_URI: '/private/', REMOTE_ADDR: '192.0.2.1',
        SERVER_PROTOCOL: 'HTTP/1.1', GATEWAY_INTERFACE: 'CGI/1.1',
    };
    let install;
    const run = (name) => spawnSync(path.join(programs, name), [],
        { env: { LATCHKEY_CONFIG: install.config, ...complete }, encoding: 'utf8', input: '' });

    before(() => { install = new Install().init(); });
    after(() => install.close());

    it('refuses to run with a secret that others can read', () => {
        const file = path.join(install.state, 'secret');
        spawnSync('chmod', ['0644', file]);
        const answer = run('gate');
        spawnSync('chmod', ['0600', file]);
        assert.notEqual(answer.status, 0);
        assert.doesNotMatch(answer.stdout, /^Status: 2/);
        assert.match(answer.stderr, /chmod/);
    });

    it('names a misspelt key with file, line and the nearest name', () => {
        install.configure({ site: { naem: 'x' } });
        const answer = run('gate');
        install.configure({});
        assert.notEqual(answer.status, 0);
        assert.match(answer.stderr, /latchkey\.conf:3: .*naem.*name/);
    });

    it('names an unusable template with file and line', () => {
        const folder = install.makeFolder('templates');
        spawnSync('sh', ['-c', `printf 'one\\n{{#open}}\\n' > ${folder}/login.mustache`]);
        install.configure({ site: { templates: folder } });
        const answer = run('login');
        assert.notEqual(answer.status, 0);
        assert.match(answer.stderr, /login\.mustache:2: /);
    });
});
