import { existsSync } from 'node:fs';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { type Chromium, unpackPacked } from './packed-chromium.ts';

/*
 * Headless Chromium: CHROMIUM_PATH, else the system's, else the one that npm brought (unpacked once by `prepareChromium`, before
 * tests run side by side). There is always one on x64, so that no test of the console is ever skipped. `CHROMIUM_PATH=npm`
 * prefers the last: what a machine without a Chromium would run.
 */

const system = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where the browser is; the package's own is unpacked when there is no other. */
export async function prepareChromium(): Promise<Chromium> {
  const asked = process.env.CHROMIUM_PATH ?? '';
  if (asked !== '' && asked !== 'npm' && !existsSync(asked)) throw new Error(`CHROMIUM_PATH: there is no ${asked}`);
  const own = asked === 'npm' ? undefined : [asked, ...system].find((path) => path !== '' && existsSync(path));
  return own === undefined ? unpackPacked() : { executablePath: own, env: {} };
}

/* Without them Chromium phones home, or needs a sandbox that a container has not. */
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  /** A finger instead of a mouse. */
  readonly touch?: boolean;
  readonly language?: 'zh' | 'en';
}

export interface Browser extends AsyncDisposable {
  /** A page in a context of its own: nobody is signed in. What goes wrong in it is collected. */
  open(options?: PageOptions): Promise<OpenPage>;
}

export interface OpenPage {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors of the console, of scripts, and violations of the content security policy. */
  readonly wrong: string[];
}

export async function startBrowser(): Promise<Browser> {
  const { executablePath, env } = await prepareChromium();
  const browser = await chromium.launch({ executablePath, args, env: { ...process.env, ...env } });
  return {
    open: async ({ width = 1280, height = 800, dark = false, touch = false, language } = {}) => {
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: dark ? 'dark' : 'light',
        locale: 'en-US',
        timezoneId: 'America/New_York',
        hasTouch: touch,
        isMobile: touch,
      });
      const page = await context.newPage();
      const wrong: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') wrong.push(message.text());
      });
      page.on('pageerror', (error) => wrong.push(String(error)));
      if (language !== undefined) {
        await page.addInitScript({ content: `localStorage.setItem('campus.language', '${language}')` });
      }
      await page.addInitScript({
        content: `addEventListener('securitypolicyviolation', (event) => {
          console.error('policy violated: ' + event.violatedDirective + ' ' + event.blockedURI);
        });`,
      });
      return { context, page, wrong };
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}
