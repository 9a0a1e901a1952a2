import { describe, expect, test } from 'vitest';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { DeviceId, HappeningId } from '#edge/domain/ids.ts';
import type { Incident } from '#edge/domain/incident.ts';
import type { Clip, FootageRange } from '#edge/domain/recording.ts';
import { ClipDesk, stateOf } from '#edge/processes/core/clips.ts';
import { KeptFootage, type KeptPage, type KeptPlace } from '#edge/processes/core/clips-kept.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { silentLog } from '#edge/runtime/log.ts';
import type { RecordingPlan } from '#edge/runtime/site-cameras.ts';
import type { Batch } from '#edge/store/batch.ts';

const start = 1_800_000_000_000;
const gate = 'camera-gate' as DeviceId;
const plan: RecordingPlan = {
  ...{ mode: 'continuous', during: { closed: 'event' }, days: 30, preRoll: 10_000, postRoll: 20_000, quota: null },
  ...{ stream: 'main', masks: [] },
};
const lin = { who: 'person:lin', from: '192.0.2.7' };

function bench(stored: readonly Clip[] = []) {
  const clock = new ManualClock(start);
  const batches: Batch[] = [];
  const clips = new Map<string, Clip>();
  const asked: (readonly [string, number, number])[] = [];
  const world: { isClosed: boolean; footage: readonly FootageRange[] | null } = { isClosed: true, footage: [] };
  const desk = new ClipDesk({
    isCamera: (device) => device === gate,
    planOf: () => plan,
    during: (label) => label === 'closed' && world.isClosed,
    reader: { clips: () => [...stored], clip: (id) => clips.get(id) ?? null },
    ask: async (camera, { from, to }) => {
      asked.push([camera, from - start, to - start]);
      if (world.footage === null) throw new CodedError('MEDIA_AWAY', 'away');
      return world.footage;
    },
    commit: async (batch) => void batches.push(batch),
    onChange: (clip) => void clips.set(clip.id, clip),
    clock,
    log: silentLog,
  });
  const happens = (at: number, more: Partial<CampusEvent> = {}, incident?: HappeningId) => {
    const event: CampusEvent = {
      id: newHappeningId(clock),
      type: 'person',
      device: gate,
      time: start + at,
      data: {},
      ...more,
    };
    return desk.hear([event], new Map(incident === undefined ? [] : [[event.id, incident]]));
  };
  return { clock, batches, clips, asked, world, desk, happens };
}

const span = (clip: Clip | undefined) => (clip === undefined ? null : [clip.from - start, clip.to - start]);

describe('what happens at a camera', () => {
  test('that records by event now makes a clip with what was before and after, and what follows makes it longer', () => {
    const { world, happens, desk, clips, batches } = bench();
    world.isClosed = false;
    expect(happens(0)).toEqual([]);
    world.isClosed = true;
    const [clip] = happens(0);
    expect(span(clip)).toEqual([-10_000, 20_000]);
    expect(happens(15_000)).toEqual([]);
    expect(happens(25_000, { active: false })).toEqual([]);
    desk.tick();
    expect(batches).toHaveLength(1);
    expect(span(batches[0]?.clips?.[0])).toEqual([-10_000, 45_000]);
    expect(clips.size).toBe(1);
    expect(happens(60_000)).toHaveLength(1);
    expect(happens(0, { device: 'pir-1' as DeviceId })).toEqual([]);
    expect(happens(0, { active: false, time: start + 900_000 })).toEqual([]);
  });

  test('for ever is cut, and never grows into another incident’s', () => {
    const { happens, clips, clock } = bench();
    for (let at = 0; at < 1_500_000; at += 15_000) happens(at);
    expect([...clips.values()].map(({ from, to }) => to - from).every((length) => length <= 600_000)).toBe(true);
    expect(clips.size).toBe(3);
    const [one, other] = [newHappeningId(clock), newHappeningId(clock)];
    const [first] = happens(5_000_000, {}, one);
    const [second] = happens(5_005_000, {}, other);
    expect([first?.incident, second?.incident]).toEqual([one, other]);
  });
});

describe('a clip', () => {
  test('is ready when its footage is there, missing when it does not come, and waits while media is away', async () => {
    const { happens, world, desk, clock, asked, clips } = bench();
    const [clip] = happens(0);
    const id = clip?.id ?? '';
    await desk.settle();
    expect(asked).toEqual([]);
    clock.advance(70_000);
    world.footage = null;
    await desk.settle();
    expect(clips.get(id)?.state).toBe('pending');
    world.footage = [{ from: start - 60_000, to: start + 5_000 }];
    await desk.settle();
    expect(asked.at(-1)).toEqual([gate, -10_000, 20_000]);
    expect(clips.get(id)?.state).toBe('pending');
    world.footage = [
      { from: start - 60_000, to: start + 5_000 },
      { from: start + 6_000, to: start + 90_000 },
    ];
    await desk.settle();
    expect(clips.get(id)?.state).toBe('ready');
    await desk.settle();
    expect(asked).toHaveLength(3);
    const range = { from: start, to: start + 30_000 };
    const half = [{ from: start, to: start + 15_000 }];
    expect(stateOf(range, half, start + 60_000)).toBe('pending');
    expect(stateOf(range, half, start + 700_000)).toBe('ready');
    expect(stateOf(range, [], start + 700_000)).toBe('missing');
  });

  test('of before the start is looked after as well', async () => {
    const old: Clip = {
      ...{ id: 'old', camera: gate, from: start - 900_000, to: start - 800_000, why: 'person', state: 'pending' },
      ...{ isProtected: true, note: '' },
    };
    const { desk, clips, batches } = bench([old]);
    await desk.settle();
    expect(clips.get('old')?.state).toBe('missing');
    expect(batches.at(-1)?.clips).toEqual([{ ...old, state: 'missing' }]);
  });

  test('that a person keeps is kept until a person lets it go, with a line in the audit', async () => {
    const { desk, batches } = bench();
    const clip = desk.mark(gate, { from: start - 5_000, to: start }, 'the ladder');
    expect(clip).toMatchObject({ why: 'person', isProtected: true });
    expect(desk.markLine(clip, lin)).toMatchObject({ ...lin, why: 'the ladder' });
    expect(await desk.unprotect(clip.id, 'over', lin)).toMatchObject({ isProtected: false });
    expect(batches.at(-1)?.audit).toMatchObject([{ ...lin, what: expect.stringContaining(clip.id), why: 'over' }]);
    await expect(desk.unprotect(clip.id, 'again', lin)).rejects.toMatchObject({ code: 'CLIP_REFUSED' });
    await expect(desk.unprotect('none', 'again', lin)).rejects.toMatchObject({ code: 'CLIP_NOT_FOUND' });
    for (const [from, to] of [
      [0, 0],
      [1, 0],
      [0, 5 * 3_600_000],
      [60_000, 70_000],
    ] as const)
      expect(() => desk.mark(gate, { from: start + from, to: start + to }, '')).toThrow();
  });
});

describe('footage that is kept', () => {
  const day = 86_400_000;
  const incident = (n: number, more: Partial<Incident> = {}): Incident => ({
    ...{
      id: `i${n}` as HappeningId,
      state: 'new',
      class: 'high',
      zone: null,
      types: ['person'],
      devices: [gate, 'pir-1' as DeviceId],
    },
    ...{ from: start + n * day, to: start + n * day + 60_000, isClosed: true, events: [], count: 1, picture: null },
    ...{
      claimedBy: null,
      seenBy: null,
      escalatesAt: null,
      outcome: null,
      note: '',
      emergency: null,
      course: [],
      rev: 1,
    },
    ...more,
  });
  const kept = (stored: { incidents?: readonly Incident[]; clips?: readonly Clip[]; fails?: boolean } = {}) =>
    new KeptFootage({
      reader: {
        incidents: () => {
          if (stored.fails === true) throw new CodedError('STORE_IO', 'the disk does not answer');
          return [...(stored.incidents ?? [])];
        },
        clips: ({ isProtected }) => (stored.clips ?? []).filter((clip) => clip.isProtected === isProtected),
        cases: () => [],
      },
      keepFootage: 30 * day,
      isCamera: (device) => device === gate,
      rolls: () => plan,
      log: silentLog,
    });
  const spans = async (of: KeptFootage, now: number) =>
    (await of.ranges(now)).map(({ camera, from, to, kind }) => [
      camera,
      (from - start) / 1000,
      (to - start) / 1000,
      kind,
    ]);

  test('is that of incidents until some time after they were resolved, of nothing that was false, and of its cameras only', async () => {
    const of = kept({ incidents: [incident(0)] });
    expect(await spans(of, start)).toEqual([[gate, -10, 80, 'kept']]);
    const resolved = (outcome: Incident['outcome']): Incident => ({
      ...incident(0, { state: 'resolved', outcome }),
      course: [{ time: start + day, who: 'person:lin', name: 'Lin', what: 'resolved', text: '' }],
    });
    of.incident(resolved('handled'));
    expect(await spans(of, start + 30 * day)).toHaveLength(1);
    expect(await spans(of, start + 31 * day)).toEqual([]);
    of.incident(resolved('false-alarm'));
    expect(await spans(of, start + 2 * day)).toEqual([]);
    of.incident(incident(0, { state: 'new' }));
    expect(await spans(of, start + 400 * day)).toHaveLength(1);
  });

  test('is one stretch where it touches, clips that nobody keeps apart, and of a case until it is let go', async () => {
    const clip = (id: string, from: number, to: number, isProtected: boolean): Clip => ({
      ...{ id, camera: gate, from: start + from, to: start + to, why: 'person', state: 'ready', isProtected, note: '' },
    });
    const of = kept({
      clips: [clip('a', 0, 20_000, true), clip('b', 10_000, 30_000, true), clip('c', 5_000, 40_000, false)],
    });
    expect(await spans(of, start)).toEqual([
      [gate, 0, 30, 'kept'],
      [gate, 5, 40, 'clip'],
    ]);
    // Its disk may come back: what a person keeps stays kept, what nobody does is forgotten.
    of.clip({ ...clip('a', 0, 20_000, true), state: 'missing' });
    expect((await spans(of, start))[0]).toEqual([gate, 0, 30, 'kept']);
    of.clip({ ...clip('a', 0, 20_000, false), state: 'missing' });
    expect((await spans(of, start))[0]).toEqual([gate, 10, 30, 'kept']);
    const one = {
      ...{
        id: 'case' as HappeningId,
        incident: 'i' as HappeningId,
        zone: null,
        cameras: [gate],
        from: start + 60_000,
        to: start + 90_000,
      },
      ...{
        masked: true,
        time: 0,
        who: '',
        name: '',
        why: '',
        sha256: '',
        manifest: '',
        bytes: 0,
        message: '',
        released: null,
      },
    };
    of.case({ ...one, state: 'building' });
    expect(await spans(of, start)).toHaveLength(3);
    of.case({ ...one, state: 'released' });
    expect(await spans(of, start)).toHaveLength(2);
  });

  test('is not forgotten for the sake of clips that nobody keeps, however many, nor for younger ones', async () => {
    const clip = (n: number, isProtected: boolean): Clip => ({
      ...{ id: `c${n} ${isProtected}`, camera: gate, why: 'event', state: 'ready', isProtected, note: '' },
      ...{ from: start + n * 10_000, to: start + n * 10_000 + 1_000 },
    });
    // As the store has them: the newest first.
    const clips = [clip(-1, true), ...Array.from({ length: 50_100 }, (_, i) => clip(50_100 - i, false))];
    const paged = (of: readonly Clip[], after: string | undefined) => {
      const at = after === undefined ? 0 : of.findIndex(({ id }) => id === after) + 1;
      return of.slice(at, at + 200);
    };
    const parts = { kept: clips.filter((one) => one.isProtected), loose: clips.filter((one) => !one.isProtected) };
    const of = new KeptFootage({
      reader: {
        incidents: ({ after }) => (after === undefined ? [incident(-1)] : []),
        clips: ({ isProtected, after }) => paged(isProtected === true ? parts.kept : parts.loose, after),
        cases: () => [],
      },
      ...{ keepFootage: 30 * day, isCamera: (device) => device === gate, rolls: () => plan, log: silentLog },
    });
    of.incident(incident(700));
    const ranges = await of.ranges(start);
    expect(ranges.filter(({ kind }) => kind === 'kept').map(({ from }) => (from - start) / 1_000)).toEqual([
      -86_410, -10, 60_479_990,
    ]);
    const loose = ranges.filter(({ kind }) => kind === 'clip');
    expect(loose).toHaveLength(50_000);
    expect(loose[0]?.from).toBe(start + 1_010_000);
    expect(of.dropped).toBe(100);
    // A line of the RPC has 1 MB.
    const pages: KeptPage[] = [];
    for (let place: KeptPlace | null | undefined = null; place !== undefined; place = pages.at(-1)?.next ?? undefined)
      pages.push(await of.page(start, place));
    expect(pages).toHaveLength(11);
    expect(pages.flatMap((page) => page.ranges)).toEqual(ranges);
    expect(Math.max(...pages.map((page) => JSON.stringify(page).length))).toBeLessThan(800_000);
    await expect(of.page(start, { edition: 0, from: 5_000 })).rejects.toMatchObject({ code: 'KEPT_CHANGED' });
  });

  test('of an incident is not over because the clock was years ahead for a while, at the start or later', async () => {
    const [late, resolved] = [start + 5 * 365 * day, incident(0, { state: 'resolved', outcome: 'police' })];
    const asked: (number | undefined)[] = [];
    const of = new KeptFootage({
      reader: {
        incidents: ({ from, states }) => {
          asked.push(from);
          return states === undefined && (from ?? 0) <= resolved.from ? [resolved] : [];
        },
        clips: () => [],
        cases: () => [],
      },
      ...{ keepFootage: 30 * day, isCamera: (device) => device === gate, rolls: () => plan, log: silentLog },
    });
    expect(await spans(of, late)).toEqual([]);
    expect(await spans(of, start + day)).toHaveLength(1);
    expect(await spans(of, start + 31 * day)).toEqual([]);
    expect(await spans(of, start + 2 * day)).toHaveLength(1);
    // An incident that nobody has resolved counts however long ago it was opened.
    expect(asked).toContain(undefined);
  });

  test('is not said to be none because the disk could not be read', async () => {
    const stored = { incidents: [incident(0)], fails: true };
    const of = kept(stored);
    await expect(of.ranges(start)).rejects.toMatchObject({ code: 'STORE_IO' });
    stored.fails = false;
    expect(await of.ranges(start)).toHaveLength(1);
  });
});
