// The programs run as CGI, from their first call to their last.
import assert from 'node:assert/strict';
import { formFields, encodeForm } from '../web/support/http.mjs';
import { alice } from '../web/support/install.mjs';
import { parse } from '../web/support/direct.mjs';
import { Client } from './world.mjs';

// Runs a program for a request of `client`. What it leaves unfinished has not `ended`.
async function run(client, target, options) {
    const { program, variables } = client.describe(target, options);
    const { status, output } = await client.world.cgi(program, variables, options?.body);
    return client.keep({
        ...parse(output), signal: typeof status === 'string' ? status : undefined,
        ended: status === 0 && /^Status: \d{3}/.test(output) && output.includes('\r\n\r\n'),
    });
}

const ask = { HTTP_ACCEPT: 'application/json' };
const form = (client, fields) => ({ method: 'POST', body: encodeForm(fields) });

async function prepareSignIn(world) {
    const client = new Client(world);
    const page = await client.fetch('/auth/login');
    return { client, options: form(client, { ...formFields(page.body), username: alice.name, password: alice.password }) };
}

export const cgiScenarios = [
    {
        isOneShot: true, name: 'CGI: gate, passes', program: 'gate', prepare: (world) => world.signedIn(),
        act: (client) => run(client, '/private/page.html', { more: ask }),
        right: (answer) => answer.status === 204 && answer.headers['remote-user'] === 'alice' &&
            answer.headers['remote-groups'] === 'staff' && answer.headers['remote-email'] === 'alice@example.org',
        check: async (client) => assert.equal((await client.check()).status, 204),
    },
    {
        isOneShot: true, name: 'CGI: gate, not signed in', program: 'gate', prepare: async (world) => new Client(world),
        act: (client) => run(client, '/private/page.html', { more: ask }),
        right: (answer) => answer.status === 401, check: async (client) => assert.equal((await client.check()).status, 401),
    },
    {
        isOneShot: true, name: 'CGI: login page', program: 'login', prepare: async (world) => new Client(world),
        act: (client) => run(client, '/auth/login'),
        right: (answer) => answer.status === 200 && /<\/html>\s*$/.test(answer.body) && answer.body.includes('name="csrf"'),
        check: async (client) => assert.equal((await client.copy().signIn(alice)).status, 303),
    },
    {
        isOneShot: true, name: 'CGI: sign-in', program: 'login', prepare: prepareSignIn,
        act: ({ client, options }) => run(client, '/auth/login', options),
        right: (answer) => answer.status === 303 && answer.cookies.length > 0,
        check: async ({ client }, right) => {
            if (!right) assert.equal((await client.signIn(alice)).status, 303);
            assert.equal((await client.check()).status, 204);
        },
    },
    {
        isOneShot: true, name: 'CGI: sign-out', program: 'logout',
        prepare: async (world) => {
            const client = await world.signedIn();
            const page = await client.fetch('/auth/logout');
            return { client, copy: client.copy(), options: form(client, formFields(page.body)) };
        },
        act: ({ client, options }) => run(client, '/auth/logout', options),
        right: (answer) => answer.status === 303,
        check: async ({ copy }, right) => {
            const { status } = await copy.check();
            assert.ok(status === 401 || (!right && status === 204), `who signed out: ${status}`);
            if (status === 204) assert.equal((await copy.copy().signOut()).status, 303);
            assert.equal((await copy.check()).status, 401);
        },
    },
];
