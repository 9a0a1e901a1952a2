import { existsSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { LocalDate } from '#edge/domain/school.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { addDays } from '#edge/school/dates.ts';
import { createSchoolClock } from '#edge/school/local-clock.ts';
import { type DemoApi, openDemoApi } from './demo-api.ts';
import { demoSchoolEntries } from './demo-school-day.ts';

/*
 * The demo's school day, put there and signed over the HTTP API, as a school office would. The draft is put there once; it is signed
 * again for the coming two weeks at each start on a day for which nobody has ever signed anything, so that the demo still rings when it is
 * started a month later. Who takes a signature back keeps his silence.
 */

export interface DemoSchool {
  /** Of the web process. */
  readonly url: string;
  readonly tokenFile: string;
  /** Written when the draft was put there. */
  readonly doneFile: string;
  readonly timeZone: string;
}

const days = 14;
const drafts = z.object({ entries: z.array(z.object({ id: z.string(), rev: z.number() })) });
const releases = z.array(z.object({ from: z.string(), to: z.string() }));
const plan = z.object({ assumptions: z.array(z.object({ name: z.string() })) });

/** Resolves when it is signed, or needs not be. Rejects when the campus refuses it, or when `signal` says to stop. */
export async function placeDemoSchool(
  { url, tokenFile, doneFile, timeZone }: DemoSchool,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const api = await openDemoApi(url, tokenFile, signal);
  const today = createSchoolClock(timeZone).dateOf(clock.now());
  if (!existsSync(doneFile)) {
    await placeDraft(api, today);
    writeFileSync(doneFile, '');
  }
  const signed = releases.parse(await api.ask('school/releases'));
  if (signed.some(({ from, to }) => from <= today && today <= to)) return;
  await sign(api, today);
}

/** Nothing where somebody has begun a plan of his own. */
async function placeDraft(api: DemoApi, today: LocalDate): Promise<void> {
  const { entries } = drafts.parse(await api.ask('school/entries'));
  if (entries.length > 0) return;
  const changes = Object.entries(demoSchoolEntries(today)).map(([id, body]) => ({ id, rev: 0, body }));
  await api.post('school/entries', { changes, why: 'demo' });
  // A machine that nobody's time server sets would show a school day and never ring; where a source says that the clock is wrong, that
  // counts.
  await api.post('school/clock', { believe: true, why: 'demo: the clock of whoever tries it' });
}

async function sign(api: DemoApi, from: LocalDate): Promise<void> {
  const to = addDays(from, days - 1);
  const { entries } = drafts.parse(await api.ask('school/entries'));
  if (entries.length === 0) return;
  const { assumptions } = plan.parse(await api.ask(`school/plan?of=draft&from=${from}&to=${to}`));
  const revs = Object.fromEntries(entries.map(({ id, rev }) => [id, rev]));
  await api.post('school/releases', { from, to, revs, accept: assumptions.map(({ name }) => name), why: 'demo' });
}
