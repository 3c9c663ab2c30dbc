// The web servers under measurement: the shipped snippets before one file of 200 bytes. `sockets`
// names the folder with the programs' sockets; who listens at them is all that differs between two.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { request } from '../web/support/http.mjs';
import { Service, until } from '../web/support/install.mjs';
import { deploy, freePort } from '../web/support/servers.mjs';
import { makeFolder } from './scratch.mjs';

export const page = '/private/page.html';
export const keptConnections = 16; // by each process of nginx, where it keeps any
const requestsPerConnection = 1000000;
let started = 0;

function makeSite(folder) {
    const site = makeFolder(folder, 'site');
    makeFolder(site, 'private');
    writeFileSync(path.join(site, page), `${'x'.repeat(199)}\n`);
    return site;
}

async function start(scratch, command, args, port) {
    const service = scratch.keep(new Service(command, args,
        { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` } }));
    await until(`${command} to listen`, () => {
        if (!service.isRunning) throw new Error(`${command} ended:\n${service.output}`);
        return request(port, page).then(() => true, () => false);
    });
    return Object.assign(service, { port });
}

// `keepAlive`: the connections to the login program are kept.
async function startNginx(scratch, folder, sockets, { cores, keepAlive = false }) {
    const port = await freePort();
    const upstreams = path.join(folder, 'upstreams.conf');
    const kept = keepAlive ? ` keepalive ${keptConnections}; keepalive_requests ${requestsPerConnection};` : '';
    writeFileSync(upstreams, readFileSync(deploy('nginx/latchkey-upstreams.conf'), 'utf8')
        .replaceAll('/run/latchkey/', `${sockets}/`).replace('login.sock;', `login.sock;${kept}`));
    const config = path.join(folder, 'nginx.conf');
    writeFileSync(config, `
daemon off;
worker_processes ${cores};
pid ${folder}/nginx.pid;
error_log stderr warn;
${process.getuid() === 0 ? 'user root;' : ''}
events { worker_connections 512; }
http {
    access_log off;
    types { text/html html; }
    keepalive_requests ${requestsPerConnection};
    ${keepAlive ? 'fastcgi_keep_conn on;' : ''}
    ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) =>
        `${name}_temp_path ${folder}/nginx-${name};`).join('\n    ')}
    include ${upstreams};
    server {
        listen 127.0.0.1:${port};
        root ${makeSite(folder)};
        include ${deploy('nginx/latchkey.conf')};
        location /private/ { include ${deploy('nginx/latchkey-protect.conf')}; }
    }
}
`);
    return start(scratch, 'nginx', ['-p', folder, '-c', config], port);
}

async function startLighttpd(scratch, folder, sockets) {
    const port = await freePort();
    const config = path.join(folder, 'lighttpd.conf');
    writeFileSync(config, `
server.document-root = "${makeSite(folder)}"
server.bind = "127.0.0.1"
server.port = ${port}
server.max-keep-alive-requests = ${requestsPerConnection}
mimetype.assign = ( ".html" => "text/html" )
var.latchkey_run = "${sockets}"
include "${deploy('lighttpd/latchkey.conf')}"
$HTTP["url"] =~ "^/private(/|$)" {
    include "${deploy('lighttpd/latchkey-protect.conf')}"
}
`);
    return start(scratch, 'lighttpd', ['-D', '-f', config], port);
}

// Resolves to a Service with its port.
export function startServer(name, scratch, sockets, options) {
    const folder = makeFolder(scratch.folder, `${name}-${started++}`);
    return { nginx: startNginx, lighttpd: startLighttpd }[name](scratch, folder, sockets, options);
}
