// One scenario, one fault, and what must hold of it: no process dies, the answer is the right one or
// a failure that is told, and all that was answered is so.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../web/support/install.mjs';
import { faultsOf } from './calls.mjs';

const mostCalls = 5000; // of one function in one request

// Libraries that end the program, and so the worker, when they get no memory: libfcgi by an assertion,
// zxcvbn and libc's name service by a null pointer; or no random bytes when it starts: libsodium. A
// worker is replaced; after a pause, if it did not live for a second. So their calls are left alone
// but in the scenarios that are about that.
const frail = { malloc: ' libfcgi libzxcvbn ', calloc: ' libfcgi libzxcvbn ', realloc: ' libfcgi libzxcvbn ', getrandom: ' libsodium ', open: ' libsodium ' };
const frailInCommands = { ...frail, malloc: ' libc libzxcvbn ', calloc: ' libc ', realloc: ' libc ' };
const youngMs = 1100;
// Of calls that fail from some one on only the first is told; the library's may come after it.
const isOfFrail = (scenario, told) => (scenario.withFrail && told.some(({ injected }) => injected > 1)) || told.some(({ object, injected }) => injected > 0 && /^(libfcgi|libzxcvbn|libsodium)\./.test(object));

// An answer that says nothing but that something failed.
function isTold(answer) {
    return [500, 503].includes(answer.status) && answer.cookies.length === 0 && answer.headers.location === undefined &&
        answer.headers['remote-user'] === undefined && (answer.status !== 503 || /^\d+$/.test(answer.headers['retry-after'] ?? ''));
}

// What breaks off is no answer to a web server; but of the gate it may take the headers for one.
const isBroken = (scenario, answer) => !answer.ended && (scenario.program !== 'gate' || !answer.text.includes('\r\n\r\n'));

// What an answer is: right, told, broken; else it throws.
function judge(scenario, answer, ready) {
    if (answer.text !== '') assert.match(answer.text, /^(Status: \d{3}|S?t?a?t?u?s?:? ?\d{0,3}$)/, 'an answer begins with Status');
    if (isBroken(scenario, answer)) return 'broken';
    if (scenario.right(answer, ready)) return 'right';
    if (!isTold(answer)) throw Object.assign(new Error(`answered with ${answer.status} ${answer.text.slice(0, 300)}`), { answer });
    return `told ${answer.status}`;
}

// Whose calls of a function do not count. SQLite calls its own functions too, and relies on it that
// what fails in there has really happened.
function findExcepted(scenario, name) {
    if (name.startsWith('sqlite3_')) return ' libsqlite3 ';
    if (scenario.withFrail) return '';
    return (scenario.program === 'latchkey' ? frailInCommands : frail)[name] ?? '';
}

// The faults of a function in a scenario, but for their place.
const listFaults = (scenario, name) => faultsOf(name).map((fault) => ({ ...fault, except: findExcepted(scenario, name) }));

export class Sweep {
    // Outcomes are told to `report`.
    constructor(world, report) {
        this.world = world;
        this.report = report;
        this.cases = 0;
    }

    get log() {
        return this.world.install.log;
    }

    // Whether no process of the program died since, and if so, how. The master tells of it, unless it was
    // its line that could not be written.
    async findDeath(scenario, before, from, isMute) {
        const died = () => this.world.pids(scenario.program).filter((pid) => before.includes(pid)).length < before.length;
        if (!died()) return undefined;
        const find = () => /worker \d+ (died of signal \d+|ended with status \d+)/.exec(this.log.slice(from))?.[1];
        const line = isMute ? find() ?? 'ended' : await until('the master to tell of it', find, 30000);
        await this.world.settled(scenario.program);
        return line;
    }

    // Runs one case. Returns whether a fault happened in it.
    async run(scenario, faults) {
        const { world } = this;
        let told = [];
        let outcome;
        let from = this.log.length;
        try {
            world.plan.watch('');
            const ready = await scenario.prepare(world);
            const pids = scenario.isOneShot ? [] : await world.settled(scenario.program);
            from = this.log.length;
            world.plan.watch(scenario.program);
            world.plan.arm(faults);
            let answer;
            try {
                answer = await scenario.act(ready);
            } finally {
                told = world.plan.disarm();
            }
            const isMute = faults.some(({ name }, i) => ['poll', 'write'].includes(name) && told[i].injected > 0);
            outcome = await this.judge({ scenario, answer, ready, told, pids, from, isMute });
            world.plan.watch('');
            await scenario.check(ready, outcome.startsWith('right'));
            const since = this.log.slice(from);
            assert.doesNotMatch(since, /(Address|Leak)Sanitizer|runtime error:/, 'a sanitizer complains');
            const late = /worker \d+ (died of signal \d+)/.exec(since)?.[1];
            if (late && outcome !== 'aborted') outcome = await this.bury(scenario, told, late);
        } catch (failure) {
            world.plan.watch('');
            // The gate may have remembered a session whose cache went before.
            const isHidden = faults.some(({ name, word }, i) => name === 'stat' && word === 'ENOENT' && told[i]?.injected > 0);
            const error = await this.excuse(scenario, failure, Math.min(from, world.resident?.from ?? from), isHidden);
            world.resident = undefined;
            if (error) this.report.fail({ world, scenario, faults, told, error, log: this.log.slice(-3000) });
            outcome = error ? 'WRONG' : 'cache lost';
            world.owner &&= await this.renewOwner();
            if (!scenario.isOneShot) await world.settled(scenario.program);
        }
        const injected = told.filter((one) => one.injected > 0).length;
        this.cases++;
        this.report.note({ world, scenario, faults, injected, outcome });
        return injected > 0;
    }

    // What is wrong after all. A cache whose file cannot be read is made anew, and its people are signed
    // out: that is none, if somebody can sign in then. To be shown the login page is to be signed out.
    // So it is when the kernel hides its file, that is, says there is none.
    async excuse(scenario, error, from, isHidden) {
        const isLost = this.world.store === 'cache' && (isHidden || /cache\.db: (was taken away|the cache of sessions was made)/.test(this.log.slice(from)));
        const isForm = scenario.program === 'login' && /name="password"/.test(error.answer?.body ?? '');
        const isServed = !isForm && /answered with 2/.test(error.message);
        if (!isLost || isServed || /signal|sanitizer/.test(error.message)) return error;
        try {
            assert.equal((await (await this.world.signedIn()).check()).status, 204);
        } catch (next) {
            return next;
        }
        return undefined;
    }

    async judge({ scenario, answer, ready, told, pids, from, isMute }) {
        const outcome = scenario.judge ? scenario.judge(answer, ready, isMute) : judge(scenario, answer, ready);
        const signal = answer.signal && `died of signal ${answer.signal}`;
        const death = signal || await this.findDeath(scenario, pids, from, isMute);
        if (death?.includes('signal')) return this.bury(scenario, told, death);
        return death ? `${outcome}, left` : outcome;
    }

    // Of a process that died: whether it may.
    async bury(scenario, told, death) {
        assert.ok(isOfFrail(scenario, told) && /signal (6|11|SIGABRT|SIGSEGV)/.test(death), death);
        if (!scenario.isOneShot) {
            await this.world.settled(scenario.program);
            await sleep(youngMs);
        }
        return 'aborted';
    }

    async renewOwner() {
        this.world.run(['user', 'passwd', this.world.owner.name, '--password-stdin'], `${this.world.owner.password}\n`);
        return this.world.owner;
    }

    // How often a scenario calls each function, as { name: count }. It must go right.
    async count(scenario) {
        const { world } = this;
        world.plan.watch('');
        const ready = await scenario.prepare(world);
        world.plan.watch(scenario.program);
        world.plan.forget();
        const answer = await scenario.act(ready);
        const { counts } = world.plan;
        world.plan.watch('');
        assert.equal(scenario.judge ? scenario.judge(answer, ready) : judge(scenario, answer, ready), 'right', `${scenario.name} without a fault: ${answer.text}`);
        await scenario.check(ready, true);
        return Object.fromEntries(Object.entries(counts).filter(([name]) => scenario.only?.includes(name) ?? true));
    }

    // Every call of a function fails in every way, until a run meets no fault any more.
    // Of a call and all after it, every fifth is tried where there are many.
    async sweep(scenario, name) {
        for (const fault of listFaults(scenario, name)) {
            for (let nth = 1; nth < mostCalls; nth += fault.span > 1 && nth > 50 ? 5 : 1) {
                if (!await this.run(scenario, [{ ...fault, nth }])) break;
            }
        }
    }

    // So many faults instead, of any function.
    async sample(scenario, counts, times, random) {
        for (let i = 0; i < times; i++) await this.run(scenario, [pickFault(random, scenario, counts)]);
    }

    // Whatever failed before: the database is sound, and nothing was kept that should have gone.
    async keepHouse() {
        this.world.plan.watch('');
        this.world.run(['session', 'revoke-all']);
        this.world.resident = undefined;
        this.world.audit();
    }
}

// A stream of numbers from 0 to below 1 that a seed determines (mulberry32).
export function randomFrom(seed) {
    let state = seed >>> 0;
    return () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let t = Math.imul(state ^ (state >>> 15), state | 1);
        t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    };
}

// A fault at one of the calls that a scenario makes.
export function pickFault(random, scenario, counts) {
    const pick = (list) => list[Math.floor(random() * list.length)];
    const name = pick(Object.keys(counts));
    return { ...pick(listFaults(scenario, name)), nth: 1 + Math.floor(random() * counts[name]) };
}
