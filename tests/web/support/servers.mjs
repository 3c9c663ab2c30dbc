// The real web servers, configured with the very files of deploy/, before a small site:
// /public/ is open, /private/ asks the gate, /team/ asks for the group "staff", /echo shows what a
// program behind is told.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { Service, root, until } from './install.mjs';
import { request } from './http.mjs';

export const secret = 'only for those who signed in';

const deploy = (name) => path.join(root, 'deploy', name);
const serverPath = `${process.env.PATH}:/usr/sbin:/sbin`;

export function freePort() {
    return new Promise((resolve) => {
        const server = createServer().listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}

export function makeSite(install) {
    const site = install.makeFolder('site');
    for (const name of ['public', 'private', 'team']) {
        install.makeFolder('site', name);
        writeFileSync(path.join(site, name, 'page.html'),
            `<!doctype html><title>${name}</title><p>${name === 'public' ? 'open' : secret}</p>\n`);
    }
    const echo = path.join(site, 'private', 'echo.cgi');
    writeFileSync(echo, '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\n"\nenv\ncat\n');
    chmodSync(echo, 0o755);
    return site;
}

async function start(install, port, command, args) {
    const service = new Service(command, args, { env: { ...process.env, PATH: serverPath } });
    await until(`${command} to listen`, async () => {
        if (!service.isRunning) throw new Error(`${command} ended:\n${service.output}`);
        return request(port, '/public/page.html').then(() => true, () => false);
    });
    return Object.assign(service, { port });
}

export const lighttpd = {
    name: 'lighttpd',
    // `extra` goes before the conditions that protect, which must be last.
    // `pages` replaces the include that leads to the sockets of `latchkey serve`, and `protect` the
    // file that asks the gate.
    async start(install, { extra = '', pages, protect = deploy('lighttpd/latchkey-protect.conf') } = {}) {
        const port = await freePort();
        const site = makeSite(install);
        const config = path.join(install.folder, 'lighttpd.conf');
        writeFileSync(config, `
server.document-root = "${site}"
server.bind = "127.0.0.1"
server.port = ${port}
mimetype.assign = ( ".html" => "text/html" )
var.latchkey_run = "${install.run}"
${pages ?? `include "${deploy('lighttpd/latchkey.conf')}"`}
server.modules += ( "mod_cgi", "mod_proxy" )
${extra}
$HTTP["url"] =~ "^/private(/|$)" {
    include "${protect}"
    cgi.assign = ( ".cgi" => "" )
}
$HTTP["url"] =~ "^/team(/|$)" {
    include "${protect}"
    setenv.set-environment = ( "LATCHKEY_GROUPS" => "admins,staff" )
}
`);
        return start(install, port, 'lighttpd', ['-D', '-f', config]);
    },
};

export const nginx = {
    name: 'nginx',
    // `locations` go into the server block; `kept` connections to each program stay open in each process.
    async start(install, { locations = '', kept = 0 } = {}) {
        const port = await freePort();
        const site = makeSite(install);
        const config = path.join(install.folder, 'nginx.conf');
        const team = path.join(install.folder, 'protect-team.conf');
        writeFileSync(team, readFileSync(deploy('nginx/latchkey-protect.conf'), 'utf8')
            .replace('/latchkey-gate;', '/latchkey-gate/admins,staff;'));
        const upstreams = path.join(install.folder, 'upstreams.conf');
        writeFileSync(upstreams, readFileSync(deploy('nginx/latchkey-upstreams.conf'), 'utf8')
            .replaceAll('/run/latchkey/', `${install.run}/`)
            .replaceAll('.sock;', kept > 0 ? `.sock; keepalive ${kept};` : '.sock;'));
        writeFileSync(config, `
daemon off;
worker_processes 2;
pid ${install.folder}/nginx.pid;
error_log stderr warn;
${process.getuid() === 0 ? 'user root;' : ''}
events { worker_connections 256; }
http {
    access_log off;
    types { text/html html; }
    ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) =>
        `${name}_temp_path ${install.folder}/nginx-${name};`).join('\n    ')}
    include ${upstreams};
    ${kept > 0 ? 'fastcgi_keep_conn on;' : ''}
    server {
        listen 127.0.0.1:${port};
        root ${site};
        include ${deploy('nginx/latchkey.conf')};
        location /private/ { include ${deploy('nginx/latchkey-protect.conf')}; }
        location /team/ { include ${team}; }
        ${locations}
    }
}
`);
        return start(install, port, 'nginx', ['-p', install.folder, '-c', config]);
    },
};

export const servers = [lighttpd, nginx];
export { deploy };
