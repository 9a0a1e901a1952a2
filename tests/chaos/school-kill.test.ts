import { setTimeout as pause } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import type { LedgerLine } from '#edge/domain/school.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { createSchoolClock } from '#edge/school/local-clock.ts';
import { openReader } from '#edge/store/reader.ts';
import { openStore } from '#edge/store/store.ts';
import { retention, temporaryFolder } from '../fixtures/store/site.ts';
import { type RunningCampus, startCampus } from '../system/campus.ts';

/* Core is killed around bells, on the real campus with its loudspeakers: each bell has one line, and is heard once at most. */

const soon = { timeout: 60_000, interval: 100 };
const speaker = 'speaker-gate';
/** When core is killed, ms after a bell was due; null: it is left alone, which says how long one bell is. */
const kills = [null, -120, 30, 300, 1_500] as const;
const spacing = 12;
const rings = 3;

test('core killed at moments of a bell neither repeats nor forgets it', { timeout: 240_000 }, async () => {
  await using folder = await temporaryFolder();
  const data = folder.path;
  {
    // A clock that somebody has vouched for, and that was believed a moment ago.
    await using store = await openStore({ folder: data, clock: systemClock, log: silentLog, retention });
    const vouched = { by: 'person:lin', time: systemClock.now(), why: 'a test' };
    await store.append({ state: { 'school-clock': vouched, 'school-ticker': { horizon: systemClock.now() } } });
  }
  await using campus = await startCampus({ data, only: ['broadcast', 'web'], city: false, onlyRules: {} });
  using reader = openReader(data);
  await vi.waitFor(() => {
    for (const name of ['core', 'broadcast', 'web', 'simulators']) expect(campus.status(name).state).toBe('ready');
  }, soon);
  await believe(campus);
  const local = createSchoolClock(campus.site.campus.timeZone);
  const first = Math.ceil(systemClock.now() / 1_000) * 1_000 + 10_000;
  const dueOf = (n: number) => first + n * spacing * 1_000;
  const changes = kills.map((_, n) => ({ id: `bell-${n}`, rev: 0, body: bellAt(local.secondOf(dueOf(n))) }));
  const { revs } = await campus.post<{ revs: Record<string, number> }>('school/entries', { changes });
  await campus.post('school/releases', { revs, why: 'a test' });
  const perBell: number[] = [];
  for (const [n, kill] of kills.entries()) {
    const before = await packets(campus);
    if (kill !== null) {
      await pause(Math.max(0, dueOf(n) + kill - systemClock.now()));
      process.kill(campus.pid('core'), 'SIGKILL');
    }
    await pause(Math.max(0, dueOf(n) + (spacing - 2) * 1_000 - systemClock.now()));
    perBell.push((await packets(campus)) - before);
  }
  await vi.waitFor(() => {
    const lines = reader.schoolLedger({ limit: 99 });
    expect(lines.map(({ key }) => key)).toHaveLength(kills.length);
    expect(lines.filter(({ outcome }) => outcome === 'begun')).toEqual([]);
  }, soon);
  const lines = reader.schoolLedger({ limit: 99 }).toReversed();
  console.log(lines.map((line, n) => `${words(line)}: ${perBell[n]} packets`).join('\n'));
  const [one = 0] = perBell;
  expect(one).toBeGreaterThan(rings * 45);
  expect(lines[0]).toMatchObject({ outcome: 'done', reason: 'in-time' });
  for (const heard of perBell) expect(heard).toBeLessThan(one * 1.3);
  const held = reader
    .newestAudit(2_000)
    .filter(({ who, what }) => who.startsWith('schedule:') && what.startsWith('hold'));
  for (const { entry, class: of } of lines) {
    expect(of).toBe('bell');
    expect(held.filter(({ who }) => who === `schedule:${entry}`).length).toBeLessThanOrEqual(1);
  }
});

function words({ key, outcome, reason, message, planned, time }: LedgerLine): string {
  return `${key} ${outcome} ${reason} (${message}), closed ${time - planned} ms after`;
}

function bellAt(at: number): object {
  const days = { kinds: ['school', 'make-up', 'exam', 'event', 'weekend', 'holiday', 'vacation'], weekdays: [] };
  return {
    ...{
      part: 'item',
      name: { zh: '铃', en: 'bell' },
      class: 'bell',
      layer: 'campus',
      when: { at },
      days,
      enabled: true,
    },
    do: { kind: 'sound', clip: 'bell', zones: ['gate'], seconds: rings },
  };
}

async function believe(campus: RunningCampus): Promise<void> {
  await vi.waitFor(async () => {
    const now = await campus.get<{ clock: { paused: string | null } }>('school/now');
    expect(now.clock.paused).toBeNull();
  }, soon);
}

async function packets(campus: RunningCampus): Promise<number> {
  return (await campus.heard()).find(({ name }) => name === speaker)?.packets ?? 0;
}
