// The library as it is installed: programs built with it alone, from the words of README and manual.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { signedIn } from './support/forms.mjs';
import { Install, root } from './support/install.mjs';
import { lighttpd } from './support/servers.mjs';

const read = (name) => readFileSync(path.join(root, name), 'utf8');

// The first block of README that includes the header.
const readme = /(?:^ {4}.*\n|^\n)*^ {4}#include <latchkey\.h>\n(?:^ {4}.*\n|^\n)*/m.exec(read('README.md'))[0]
    .replace(/^ {4}/gm, '');
const manual = /^\.Bd -literal -offset indent\n(#include[^]*?)^\.Ed/m.exec(read('man/latchkey.3'))[1]
    .replaceAll('\\e', '\\');

describe('the installed library', () => {
    let install;
    let web;
    let prefix;

    function run(command, args, options) {
        const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', ...options });
        assert.equal(result.status, 0, `${command} ${args.join(' ')}: ${result.error ?? result.stderr}`);
        return result.stdout.trim();
    }

    function packageConfig(...args) {
        const env = { ...process.env, PKG_CONFIG_PATH: path.join(prefix, 'lib/pkgconfig') };
        return run('pkg-config', [...args, 'latchkey'], { env }).split(/\s+/);
    }

    // Builds a CGI program below the site's /private/.
    function build(name, source) {
        const file = path.join(install.folder, `${name}.c`);
        writeFileSync(file, source);
        run('cc', ['-Wall', '-Wextra', '-Werror', '-o', path.join(install.folder, 'site/private', `${name}.cgi`), file,
            ...packageConfig('--cflags', '--libs'), '-lfcgi']);
    }

    before(async () => {
        install = await new Install({ session: { secure_cookie: 'no', store: 'cookie' } }).init().serve();
        prefix = path.join(install.folder, 'prefix');
        run('make', ['-s', 'install', `PREFIX=${prefix}`, 'DESTDIR=']);
        web = await lighttpd.start(install, {
            extra: `setenv.set-environment = ( "LATCHKEY_CONFIG" => "${install.config}" )`,
        });
    });
    after(async () => {
        await web?.stop();
        assert.equal(await install?.close(), 0);
    });

    it('shows no names but its own', () => {
        const names = run('nm', ['-g', '--defined-only', path.join(prefix, 'lib/liblatchkey.a')])
            .split('\n').filter((line) => / [A-Z] /.test(line)).map((line) => line.split(' ').pop());
        assert.ok(names.length > 15);
        for (const name of names) assert.match(name, /^lk_/);
    });

    it('has a header that C++ understands without warnings', () => {
        const file = path.join(install.folder, 'header.cpp');
        writeFileSync(file, '#include <latchkey.h>\nint main() { return lk_status_text(LK_OK) == nullptr; }\n');
        run('clang', ['-x', 'c++', '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-fsyntax-only',
            ...packageConfig('--cflags'), file]);
    });

    it('serves the program of README', async () => {
        build('greeter', readme);
        const browser = await signedIn(web.port);
        assert.equal((await browser.fetch('/private/greeter.cgi')).body, 'Hello, alice!\n');
        assert.equal((await browser.fetch('/private/greeter.cgi')).body, 'Hello again, alice!\n');
    });

    it('serves the program of the manual', async () => {
        build('visits', manual);
        const browser = await signedIn(web.port);
        for (const count of [1, 2, 3]) {
            assert.equal((await browser.fetch('/private/visits.cgi')).body, `alice: ${count}\n`);
        }
    });
});
