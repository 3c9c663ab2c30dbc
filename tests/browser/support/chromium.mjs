// Debian's Chromium under remote control, and what a page must never do while it is watched.
import { chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const flags = [
    '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync',
    // The sandbox refuses to run as root, as in a container.
    ...(process.getuid() === 0 ? ['--no-sandbox'] : []),
];

const options = ({ keepPages = false, host } = {}) => ({
    executablePath,
    args: [...flags, ...(host === undefined ? [] : [`--host-resolver-rules=MAP ${host} 127.0.0.1`])],
    ignoreDefaultArgs: keepPages ? ['--disable-back-forward-cache'] : [],
});

// Each browser has a profile of its own, which goes with it. `keepPages` lets it keep pages for the
// back button whole (bfcache), as browsers do.
export const launch = (wishes) => chromium.launch(options(wishes));

// The same with a profile in a folder that is prepared already, for what only a profile can say.
export const launchWithProfile = (folder) => chromium.launchPersistentContext(folder, options());

// Opens a page that is watched: `page.faults` lists errors on the console (violations of the
// Content-Security-Policy among them), uncaught exceptions, and requests to other hosts.
export async function openPage(context, baseURL) {
    const page = await context.newPage();
    const faults = [];
    const { host } = new URL(baseURL);
    page.on('console', (message) => {
        // A page that is an error page by intention is no fault, the console says so all the same.
        const isStatus = /^Failed to load resource: .* status of (403|404|405|409|429) /.test(message.text());
        // Nor is it one that the site behind has no icon. (On our own pages none is asked for.)
        const { url } = message.location();
        // Over http and under a name, a header that is for https counts for nothing.
        const isForHttps = message.text().startsWith('The Cross-Origin-Opener-Policy header has been ignored');
        const isExpected = isForHttps || isStatus && (url === page.url() || url.endsWith('/favicon.ico'));
        if (['error', 'warning'].includes(message.type()) && !isExpected) {
            faults.push(`console: ${message.text()}`);
        }
    });
    page.on('pageerror', (error) => faults.push(`exception: ${error}`));
    page.on('request', (request) => {
        const url = new URL(request.url());
        if (/^(https?|wss?):$/.test(url.protocol) && url.host !== host) {
            faults.push(`request to another host: ${url}`);
        }
    });
    return Object.assign(page, { faults });
}

export async function signIn(page, user, { remember = false } = {}) {
    await page.getByLabel('User name').fill(user.name);
    await page.getByLabel('Password', { exact: true }).fill(user.password);
    if (remember) await page.getByLabel('Keep me signed in').check();
    await page.getByRole('button', { name: 'Sign in' }).click();
}

export async function signOut(page) {
    await page.goto('/auth/logout');
    await page.getByRole('button', { name: 'Sign out' }).click();
}
