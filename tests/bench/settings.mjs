// What a run is to measure, and how long; see README.md.
import os from 'node:os';

export const jobs = ['checks', 'million', 'busy', 'pages', 'sign-ins', 'flood', 'start', 'memory', 'bytes', 'purge'];
const stores = ['database', 'cache', 'cookie'];
const servers = ['nginx', 'lighttpd'];
const quickJobs = ['checks', 'busy', 'pages', 'sign-ins', 'flood', 'start', 'memory'];

function readNumber(env, name, otherwise, most) {
    const number = Number(env[name] || otherwise);
    if (!Number.isInteger(number) || number < 1 || number > most) {
        throw new Error(`${name}=${env[name]}: a whole number from 1 to ${most} is wanted`);
    }
    return number;
}

function readNames(env, name, known, otherwise = known) {
    const names = env[name] ? env[name].split(/[ ,]+/).filter(Boolean) : otherwise;
    const unknown = names.find((word) => !known.includes(word));
    if (unknown !== undefined) throw new Error(`${name}: ${unknown} is none of ${known.join(', ')}`);
    if (names.length === 0) throw new Error(`${name} names nothing`);
    return names;
}

// From the environment; `quick` is for a look while one works, not for a verdict to keep.
export function readSettings(env, quick) {
    const cores = os.cpus().length;
    return {
        quick,
        cores,
        rounds: readNumber(env, 'ROUNDS', quick ? 3 : 5, 1000),
        seconds: readNumber(env, 'SECONDS', quick ? 1 : 3, 3600),
        stores: readNames(env, 'STORES', stores),
        servers: readNames(env, 'SERVERS', servers),
        jobs: readNames(env, 'ONLY', jobs, quick ? quickJobs : jobs),
        few: 1000, // live sessions
        many: readNumber(env, 'SESSIONS', 1000000, 10000000),
        most: readNumber(env, 'SESSIONS_MAX', 10000000, 10000000), // of bench-scale
        checks: quick ? 100000 : 1000000, // until memory is looked at again
        connections: 16,
        gateWorkers: 2 * cores, // both as the programs have it when the configuration is silent
        loginWorkers: cores,
        signInsPerSecond: 50,
    };
}

// Whether no store and no web server was left out.
export const isWhole = (settings) => settings.stores.length === stores.length && settings.servers.length === servers.length;
