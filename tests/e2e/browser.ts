import { existsSync } from 'node:fs';
import { chromium, type Page } from 'playwright-core';

/* Headless Chromium of Debian; a test without it skips and says so. */

const path = '/usr/bin/chromium';

export function findChromium(): string | null {
  if (existsSync(path)) return path;
  console.warn(`SKIPPED: there is no ${path} here (apt-get install chromium), so nothing is looked at in a browser`);
  return null;
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

export interface Browser extends AsyncDisposable {
  /** A page in a context of its own. What went wrong in it is collected. */
  open(options?: { readonly width?: number; readonly height?: number; readonly dark?: boolean }): Promise<OpenPage>;
}

export interface OpenPage {
  readonly page: Page;
  /** Errors of the console, of scripts, and violations of the content security policy. */
  readonly wrong: string[];
}

export async function startBrowser(): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: path, args });
  return {
    open: async ({ width = 1280, height = 800, dark = false } = {}) => {
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: dark ? 'dark' : 'light',
        locale: 'en-US',
        timezoneId: 'America/New_York',
      });
      const page = await context.newPage();
      const wrong: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') wrong.push(message.text());
      });
      page.on('pageerror', (error) => wrong.push(String(error)));
      await page.addInitScript({
        content: `addEventListener('securitypolicyviolation', (event) => {
          console.error('policy violated: ' + event.violatedDirective + ' ' + event.blockedURI);
        });`,
      });
      return { page, wrong };
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}
