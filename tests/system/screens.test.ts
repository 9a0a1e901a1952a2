import { expect, test, vi } from 'vitest';
import type { Device } from '#edge/domain/device.ts';
import type { OutputState } from '#edge/domain/output.ts';
import type { LedgerLine } from '#edge/domain/school.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { createSchoolClock } from '#edge/school/local-clock.ts';
import { openStore } from '#edge/store/store.ts';
import { retention, temporaryFolder } from '../fixtures/store/site.ts';
import { type RunningCampus, startCampus } from './campus.ts';

/* Screens by the school day and in an emergency: a projector whose lamp takes its time, a panel that sleeps, a board that says nothing. */

const soon = { timeout: 90_000, interval: 200 };
const anyDay = { kinds: ['school', 'make-up', 'exam', 'event', 'weekend', 'holiday', 'vacation'], weekdays: [] };
const news = '十二点二十分：校园新闻';
const alarmText = '火警！请按疏散路线撤离';

interface Screens {
  readonly projector: { readonly power: number; readonly input: string };
  readonly panel: { readonly isAwake: boolean };
  readonly board: { readonly text: string };
}

async function screens(campus: RunningCampus): Promise<Screens> {
  const response = await fetch(`${campus.controlUrl}/state`, { signal: AbortSignal.timeout(10_000) });
  const state = (await response.json()) as { readonly screens: Screens };
  return state.screens;
}

function itemAt(at: number, seconds: number, outputs: readonly (readonly [Device['id'] | string, unknown])[]): object {
  return {
    ...{ part: 'item', class: 'screen', layer: 'campus', when: { at }, days: anyDay, enabled: true },
    name: { zh: `屏幕 ${at}`, en: `screens ${at}` },
    do: { kind: 'hold', seconds, outputs: outputs.map(([ref, value]) => ({ ref, value })) },
  };
}

test('a schedule has the news on every screen and turns them off; an emergency takes the board from it', {
  timeout: 240_000,
}, async () => {
  await using folder = await temporaryFolder();
  {
    // A clock that somebody has vouched for, and that was believed a moment ago.
    await using store = await openStore({ folder: folder.path, clock: systemClock, log: silentLog, retention });
    const vouched = { by: 'person:lin', time: systemClock.now(), why: 'a test' };
    // A lamp of which nobody knows when it went out is given its two minutes.
    const lamp = { value: false, at: systemClock.now() - 600_000, moves: [] };
    const ticker = { horizon: systemClock.now() };
    await store.append({
      state: { 'school-clock': vouched, 'school-ticker': ticker, 'switching:screen-203/power': lamp },
    });
  }
  await using campus = await startCampus({ data: folder.path, only: ['fieldbus', 'web'], city: false });
  await vi.waitFor(() => {
    for (const name of ['core', 'fieldbus', 'web', 'simulators']) expect(campus.status(name).state).toBe('ready');
  }, soon);
  await vi.waitFor(async () => {
    const now = await campus.get<{ clock: { paused: string | null } }>('school/now');
    expect(now.clock.paused).toBeNull();
  }, soon);
  const local = createSchoolClock(campus.site.campus.timeZone);
  const first = Math.ceil(systemClock.now() / 1_000) * 1_000 + 8_000;
  const on = itemAt(local.secondOf(first), 60, [
    ['screen-203/input', 'signage'],
    ['screen-203/power', true],
    ['panel-201/power', true],
    ['sign-gate/text', news],
  ]);
  const off = itemAt(local.secondOf(first + 66_000), 60, [['screen-203/power', false]]);
  const changes = [
    { id: 'news', rev: 0, body: on },
    { id: 'screens-off', rev: 0, body: off },
  ];
  const { revs } = await campus.post<{ revs: Record<string, number> }>('school/entries', { changes });
  await campus.post('school/releases', { revs, why: 'a test' });

  await vi.waitFor(async () => {
    expect(await screens(campus)).toMatchObject({ panel: { isAwake: true }, board: { text: news } });
  }, soon);
  const output = (ref: string) => campus.get<OutputState>(`outputs/${ref}`);
  await vi.waitFor(async () => {
    expect(await output('sign-gate/text')).toMatchObject({
      ...{ value: news, priority: 15, holder: 'schedule:news', confirmed: { value: news, outcome: 'sent' } },
    });
  }, soon);
  // The lamp warms up for some seconds, and the source is chosen when it is there.
  await vi.waitFor(async () => {
    expect((await screens(campus)).projector).toEqual({ power: 1, input: '32' });
  }, soon);
  const line = async (entry: string): Promise<LedgerLine | undefined> => {
    const { lines } = await campus.get<{ lines: LedgerLine[] }>('school/ledger');
    return lines.find((one) => one.entry === entry);
  };
  await vi.waitFor(async () => expect(await line('news')).toMatchObject({ outcome: 'done' }), soon);
  // Nothing that a lamp takes its time for is an alarm.
  const alarms = await campus.get<{ source: string }[]>('alarms');
  expect(alarms.filter(({ source }) => /screen-203|panel-201|sign-gate/.test(source))).toEqual([]);

  await campus.turn('fire-panel', 'on');
  await vi.waitFor(async () => expect((await screens(campus)).board.text).toBe(alarmText), soon);
  expect(await output('sign-gate/text')).toMatchObject({ priority: 1, holder: 'interlock:fire' });

  await vi.waitFor(async () => expect((await screens(campus)).projector.power).not.toBe(1), soon);
  await vi.waitFor(async () => expect(await line('screens-off')).toMatchObject({ outcome: 'done' }), soon);
  // The schedule's text is long over, and the emergency's still stands.
  expect((await screens(campus)).board.text).toBe(alarmText);
});
