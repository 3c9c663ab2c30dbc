// The web servers under measurement: the shipped snippets before one file of 200 bytes. `run` names
// the folder with the sockets; whether the gate or the null responder listens at gate.sock is all
// that differs between two of them.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { request } from '../web/support/http.mjs';
import { Service, root, until } from '../web/support/install.mjs';
import { freePort } from '../web/support/servers.mjs';

export const page = '/private/page.html';
const deploy = (name) => path.join(root, 'deploy', name);
const requestsPerConnection = 1000000;

function makeFolder(name) {
    mkdirSync(name, { recursive: true, mode: 0o755 });
    chmodSync(name, 0o755);
    return name;
}

function makeSite(folder) {
    const site = makeFolder(path.join(folder, 'site'));
    makeFolder(path.join(site, 'private'));
    writeFileSync(path.join(site, page), `${'x'.repeat(199)}\n`);
    return site;
}

async function start(command, args, port) {
    const service = new Service(command, args,
        { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` } });
    await until(`${command} to listen`, () => {
        if (!service.isRunning) throw new Error(`${command} ended:\n${service.output}`);
        return request(port, page).then(() => true, () => false);
    });
    return Object.assign(service, { port });
}

async function startNginx(folder, run, workers) {
    const port = await freePort();
    const upstreams = path.join(folder, 'upstreams.conf');
    writeFileSync(upstreams, readFileSync(deploy('nginx/latchkey-upstreams.conf'), 'utf8')
        .replaceAll('/run/latchkey/', `${run}/`));
    const config = path.join(folder, 'nginx.conf');
    writeFileSync(config, `
daemon off;
worker_processes ${workers};
pid ${folder}/nginx.pid;
error_log stderr warn;
${process.getuid() === 0 ? 'user root;' : ''}
events { worker_connections 256; }
http {
    access_log off;
    types { text/html html; }
    keepalive_requests ${requestsPerConnection};
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
    return start('nginx', ['-p', folder, '-c', config], port);
}

async function startLighttpd(folder, run) {
    const port = await freePort();
    const config = path.join(folder, 'lighttpd.conf');
    writeFileSync(config, `
server.document-root = "${makeSite(folder)}"
server.bind = "127.0.0.1"
server.port = ${port}
server.max-keep-alive-requests = ${requestsPerConnection}
mimetype.assign = ( ".html" => "text/html" )
var.latchkey_run = "${run}"
include "${deploy('lighttpd/latchkey.conf')}"
$HTTP["url"] =~ "^/private(/|$)" {
    include "${deploy('lighttpd/latchkey-protect.conf')}"
}
`);
    return start('lighttpd', ['-D', '-f', config], port);
}

export const servers = { nginx: startNginx, lighttpd: startLighttpd };
export { makeFolder };
