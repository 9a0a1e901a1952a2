import type { Page } from 'playwright-core';
import type { Role } from '#edge/domain/access.ts';
import type { RunningCampus } from '../system/campus.ts';

/* People for tests that look at the console: made through the API, signed in through the page. */

export const password = 'Zhong-Ying-4817';

/** Waits until the campus answers and takes changes. */
export async function waitForCampus(campus: RunningCampus, patience = 85_000): Promise<void> {
  for (const started = performance.now(); ; ) {
    const health = await fetch(`${campus.url}/healthz`, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
    if (health?.status === 200) return;
    if (performance.now() - started > patience) throw new Error('the campus does not come up');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Makes an account through the API; he has chosen his password already. */
export async function makePerson(campus: RunningCampus, id: string, name: string, role: Role): Promise<void> {
  const first = 'First-Day-2931-x';
  await campus.post('people', { id, name, role, zones: 'all', password: first });
  const headers = { 'content-type': 'application/json' };
  const signIn = await fetch(`${campus.url}/api/v1/login`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ id, password: first }),
    signal: AbortSignal.timeout(30_000),
  });
  const me = (await signIn.json()) as { readonly csrf: string };
  const cookie = signIn.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const changed = await fetch(`${campus.url}/api/v1/me/password`, {
    method: 'POST',
    headers: { ...headers, cookie, 'x-csrf-token': me.csrf },
    body: JSON.stringify({ old: first, password }),
    signal: AbortSignal.timeout(30_000),
  });
  if (!changed.ok) throw new Error(`password of ${id}: ${await changed.text()}`);
}

/** Signs in through the form of the page. */
export async function signIn(page: Page, url: string, id: string): Promise<void> {
  await page.goto(url);
  await page.fill('#account', id);
  await page.fill('#password', password);
  await page.press('#password', 'Enter');
  await page.waitForSelector('.kit-frame');
}
