import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { openStore } from '#edge/store/store.ts';
import { retention } from '../fixtures/store/site.ts';

/** A data folder of a campus whose clock somebody has vouched for, and that was believed a moment ago. */
export async function vouchedFolder(): Promise<string> {
  const data = mkdtempSync(join(tmpdir(), 'campus-'));
  await using store = await openStore({ folder: data, clock: systemClock, log: silentLog, retention });
  const vouched = { by: 'person:lin', time: systemClock.now(), why: 'a test' };
  await store.append({ state: { 'school-clock': vouched, 'school-ticker': { horizon: systemClock.now() } } });
  return data;
}
