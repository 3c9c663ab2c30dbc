// The real Apache httpd, configured with the very files of deploy/, before the same small site as the
// other servers (servers.mjs). The gate that it asks over TCP is started with it.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { request } from './http.mjs';
import { Service, programs, until } from './install.mjs';
import { deploy, freePort, makeSite } from './servers.mjs';

const modules = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'access_compat', 'authnz_fcgi', 'headers',
    'proxy', 'proxy_fcgi', 'proxy_http', 'mime', 'dir', 'autoindex', 'rewrite', 'cgid'];
// The line of the comment, as it stands there.
const readProtect = () => readFileSync(deploy('apache/latchkey-protect.conf'), 'utf8');
const forGroups = () => readProtect().replace('    Require valid-user',
    `    Require valid-user\n    ${/^# +(Require expr .*)$/m.exec(readProtect())[1]}`);

export const apache = {
    name: 'apache',
    // `extra` goes before the locations that protect, which must be last; `gate` is where another gate
    // listens, in place of the real one.
    async start(install, { extra = '', gate } = {}) {
        const port = await freePort();
        const gatePort = gate ?? await freePort();
        const site = makeSite(install);
        const config = path.join(install.folder, 'apache.conf');
        const team = path.join(install.folder, 'protect-team.conf');
        writeFileSync(team, forGroups());
        writeFileSync(config, `
${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
ServerName localhost
ServerRoot ${install.folder}
Listen 127.0.0.1:${port}
PidFile ${install.folder}/apache.pid
ScriptSock ${install.folder}/cgid.sock
ErrorLog ${install.folder}/apache.log
DocumentRoot ${site}
TypesConfig /dev/null
AddType text/html .html
StartServers 1
ThreadsPerChild 64
MaxRequestWorkers 128
KeepAliveTimeout 1
${process.getuid() === 0 ? 'User www-data\nGroup www-data' : ''}
Define LATCHKEY_RUN ${install.run}
Define LATCHKEY_GATE 127.0.0.1:${gatePort}
Include ${deploy('apache/latchkey.conf')}
${extra}
<Location "/private">
    Include ${deploy('apache/latchkey-protect.conf')}
    Options +ExecCGI
    AddHandler cgi-script .cgi
</Location>
<Location "/team">
    Include ${team}
</Location>
`);
        const asked = gate === undefined && new Service('spawn-fcgi',
            ['-n', '-a', '127.0.0.1', '-p', String(gatePort), '--', path.join(programs, 'gate')],
            { env: { ...install.env, FCGI_WEB_SERVER_ADDRS: '127.0.0.1' } });
        const service = new Service('/usr/sbin/apache2', ['-D', 'FOREGROUND', '-f', config]);
        const stop = service.stop.bind(service);
        await until('apache to listen', async () => {
            if (!service.isRunning) throw new Error(`apache2 ended:\n${service.output}`);
            return request(port, '/public/page.html').then(() => true, () => false);
        });
        return Object.assign(service, {
            port,
            stop: async () => {
                await stop();
                const status = asked ? await asked.stop() : 0;
                if (status !== 0 || /Sanitizer|runtime error/.test(asked?.output)) {
                    throw new Error(`the gate behind apache ended with ${status}:\n${asked.output}`);
                }
            },
        });
    },
};
