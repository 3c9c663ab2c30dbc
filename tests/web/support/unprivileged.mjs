// Installations whose programs the rights of files bind, also where root runs the tests.
import { Install } from './install.mjs';
import { copyPrograms } from './processes.mjs';

export const isRoot = process.getuid() === 0;

// Rights do not bind root, so its programs become somebody else.
export function makeUnprivileged(settings) {
    const install = new Install({ ...settings, ...(isRoot && { state: { user: 'nobody' } }) });
    if (isRoot) install.env.ASAN_OPTIONS = `${process.env.ASAN_OPTIONS ?? ''}:detect_leaks=0`;
    return install;
}

// Options for Install.serve.
export const serveUnprivileged = (install) => (isRoot ? { command: copyPrograms(install) } : {});
