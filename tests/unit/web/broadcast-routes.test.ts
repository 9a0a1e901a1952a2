import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { DeviceId, HappeningId } from '#edge/domain/ids.ts';
import { jsonBody, type PlaceRoom, startPlaceRoom } from './place-room.ts';
import { item, itemId, part, room, soundStandIn } from './sound-stand-in.ts';

/* The routes of broadcast with a stand-in for core's desk behind a real socket: whose rooms, whose words, whose rights. */

type Ask = (path: string, init?: RequestInit) => Promise<Response>;
const core = soundStandIn();
const gate = 'speaker-gate/clip';
const teaching = 'speaker-teaching/clip';
let web: PlaceRoom;
let whole: Ask;
let guard: Ask;
let looker: Ask;
let captain: Ask;

beforeAll(async () => {
  web = await startPlaceRoom({ methods: core.methods });
  whole = await web.as(['see', 'broadcast']);
  guard = await web.as(['see', 'broadcast'], ['gate']);
  looker = await web.as(['see']);
  captain = await web.as(['see', 'broadcast', 'emergency']);
}, 60_000);
afterAll(() => web[Symbol.asyncDispose]());

beforeEach(() => {
  core.rooms = [];
  core.items = [];
  core.quiets = [];
  core.asked.length = 0;
  web.live.accept({ kind: 'sound', body: { time: 0 } });
});

const json = async (answer: Promise<Response>) => (await (await answer).json()) as Record<string, unknown>;
const play = (who: Ask, body: unknown) => who('/api/v1/broadcast/play', jsonBody('POST', body));
const stop = (who: Ask, id: string, body: unknown = {}) =>
  who(`/api/v1/broadcast/items/${id}/stop`, jsonBody('POST', body));
const last = (method: string) => core.asked.findLast((one) => one.method === method)?.params;

describe('what sounds now', () => {
  test('is told room by room with its place, what waits and what keeps it down, strongest first', async () => {
    const quiet = { id: 'q', kind: 'exam', reason: 'listening test', until: 9_000, outputs: [gate], from: 0 };
    const waits = part(2, 'bell', { state: 'waiting', position: null, blocker: { kind: 'item', ...part(1, 'page') } });
    const cap = { id: 'night', most: 40, until: null, reason: 'night' };
    core.rooms = [
      room(gate, { reason: 'quiet', quiet }),
      room(teaching, {
        ...{ reason: 'plays', playing: part(1, 'page'), waiting: [waits] },
        level: { level: 40, from: 'class', cap },
      }),
      room('speaker-of-before/clip'),
    ];
    core.items = [
      item(2, 'bell', [{ output: teaching, state: 'waiting' }]),
      item(1, 'page', [{ output: teaching, state: 'playing' }]),
    ];
    const now = await json(whole('/api/v1/broadcast/now'));
    expect(now.rooms).toMatchObject([
      {
        ...{ device: 'speaker-gate', zone: 'gate', name: { zh: '校门广播' }, reason: 'quiet', online: null },
        ...{ quiet: { kind: 'exam', until: 9_000 }, playing: null, proof: 'sent', trouble: null },
      },
      {
        ...{ device: 'speaker-teaching', reason: 'plays', level: { level: 40, cap: { most: 40, reason: 'night' } } },
        playing: { item: itemId(1), class: 'page', position: 1_500, drill: false },
        waiting: [
          { item: itemId(2), state: 'waiting', blocker: { kind: 'item', name: { en: 'sound 1' }, class: 'page' } },
        ],
      },
    ]);
    expect(now.items).toMatchObject([
      { id: itemId(1), class: 'page', clips: ['bell'], live: false, outputs: 1, counts: { playing: 1 } },
      { id: itemId(2), class: 'bell', counts: { waiting: 1 } },
    ]);
    expect(now.rooms).toHaveLength(2);
  });

  test('is told of one’s own rooms only, and of an item only as far as it sounds there', async () => {
    core.rooms = [room(gate), room(teaching, { reason: 'plays', playing: part(1, 'bell') })];
    const both = [gate, teaching].map((output) => ({ output, state: 'playing' }));
    core.items = [item(1, 'bell', both), item(3, 'page', [{ output: teaching, state: 'playing' }])];
    const now = await json(guard('/api/v1/broadcast/now'));
    expect((now.rooms as { device: string }[]).map(({ device }) => device)).toEqual(['speaker-gate']);
    expect(now.items).toMatchObject([{ id: itemId(1), outputs: 1, counts: { playing: 1 } }]);
  });

  test('is asked of core once for everybody until something is told to have changed', async () => {
    await Promise.all(Array.from({ length: 10 }, () => whole('/api/v1/broadcast/now')));
    const before = core.asked.filter(({ method }) => method === 'now').length;
    expect(before).toBeLessThan(10);
    web.live.accept({ kind: 'sound', body: { time: 1 } });
    core.rooms = [room(gate)];
    expect((await json(whole('/api/v1/broadcast/now'))).rooms).toHaveLength(1);
  });

  test('says whether the loudspeaker answers, and that a sound was not heard until somebody has seen to it', async () => {
    core.rooms = [room(gate)];
    const health = { state: 'offline', message: 'no answer', since: 1, counters: {} } as const;
    web.live.accept({
      kind: 'health',
      body: {
        ...{ process: 'broadcast', state: 'ready', time: 1, instance: 'a' },
        devices: [{ device: 'speaker-gate', ...health }],
      },
    });
    web.live.accept({ kind: 'alarm', body: missed });
    const [told] = (await json(whole('/api/v1/broadcast/now'))).rooms as Record<string, unknown>[];
    expect(told).toMatchObject({ online: false, trouble: { reason: 'no packets left', time: 5 } });
    web.live.accept({ kind: 'alarm', body: { ...missed, state: 'acknowledged' } });
    const [seen] = (await json(whole('/api/v1/broadcast/now'))).rooms as Record<string, unknown>[];
    expect(seen).toMatchObject({ trouble: null });
  });

  test('is explained for one loudspeaker with what happened there, and for nobody else’s', async () => {
    const happened = {
      ...{
        kind: 'preempted',
        item: itemId(2),
        class: 'bell',
        outputs: [gate],
        at: 7,
        reason: 'stronger',
        position: 900,
      },
      ...{ by: { kind: 'outside', owner: 'interlock:fire', class: 'fire', reason: 'smoke' }, said: null },
    };
    core.rooms = [room(gate, { recent: [happened] })];
    core.items = [item(2, 'bell', [{ output: gate, state: 'cut' }])];
    const why = await json(guard('/api/v1/broadcast/why/speaker-gate'));
    expect(why).toMatchObject({
      room: { device: 'speaker-gate', reason: 'nothing-asked', proof: 'sent' },
      recent: [
        {
          ...{ kind: 'preempted', at: 7, reason: 'stronger', name: { en: 'sound 2' } },
          blocker: { kind: 'outside', owner: 'interlock:fire', class: 'fire', reason: 'smoke' },
        },
      ],
    });
    expect((await guard('/api/v1/broadcast/why/speaker-teaching')).status).toBe(404);
    expect((await guard('/api/v1/broadcast/why/meter-main')).status).toBe(404);
  });
});

describe('playing', () => {
  test('asks core in the name of whoever asks, and a name is made where none is given', async () => {
    expect(
      await json(play(whole, { clips: ['bell'], zones: ['gate'], devices: ['speaker-teaching'], why: 'try' })),
    ).toEqual({
      ...{ item: itemId(1), outcome: 'taken', message: '', refusedOn: [] },
    });
    expect(last('play')).toMatchObject({
      ...{ class: 'page', name: { zh: 'bell', en: 'bell' }, zones: ['gate'], outputs: [teaching], why: 'try' },
      ...{ source: { kind: 'clips', clips: ['bell'], loop: false }, by: expect.stringMatching(/^token:machine/) },
      ...{ who: expect.stringMatching(/^token:machine/), from: '127.0.0.1' },
    });
  });

  test('says where and why it is refused', async () => {
    core.put = {
      ...{ outcome: 'refused', item: null, message: 'its queue is full' },
      refusal: { code: 'queue-full' },
      refusedOn: [gate],
    };
    const refused = await json(play(whole, { clips: ['bell'], zones: 'all' }));
    core.put = { outcome: 'taken', item: itemId(1), refusal: null, refusedOn: [], message: '' };
    expect(refused).toEqual({
      ...{
        item: null,
        outcome: 'refused',
        message: 'its queue is full',
        code: 'queue-full',
        refusedOn: ['speaker-gate'],
      },
    });
    expect(last('play')).toMatchObject({ zones: 'all' });
  });

  test('stays within one’s zones: all of them is all of one’s own', async () => {
    expect((await play(guard, { clips: ['bell'], zones: 'all' })).status).toBe(200);
    expect(last('play')).toMatchObject({ zones: ['gate'] });
    for (const body of [{ zones: ['teaching'] }, { devices: ['speaker-teaching'] }, { devices: ['meter-main'] }]) {
      expect((await play(guard, { clips: ['bell'], ...body })).status).toBe(404);
    }
    expect(core.asked.filter(({ method }) => method === 'play')).toHaveLength(1);
  });

  test('needs a place and a sound, and the right for what is stronger than a page', async () => {
    for (const body of [{ clips: ['bell'] }, { zones: ['gate'] }, { clips: ['bell'], zones: ['gate'], loudly: true }]) {
      expect((await play(whole, body)).status).toBe(400);
    }
    const urgent = { class: 'microphone', clips: ['bell'], zones: ['gate'] };
    expect((await play(whole, urgent)).status).toBe(403);
    expect((await play(captain, urgent)).status).toBe(200);
    expect((await play(looker, { clips: ['bell'], zones: ['gate'] })).status).toBe(403);
  });
});

describe('stopping', () => {
  const both = [gate, teaching].map((output) => ({ output, state: 'playing' }));

  test('ends it everywhere for whoever sees all of it, else where he sees it', async () => {
    core.items = [item(1, 'bell', both)];
    expect(await json(stop(whole, itemId(1), { why: 'wrong one' }))).toMatchObject({
      outcome: 'stopped',
      ended: 2,
      left: 0,
    });
    expect(last('stop')).toMatchObject({ item: itemId(1), why: 'wrong one' });
    expect(last('stop')).not.toHaveProperty('outputs');
    expect(await json(stop(guard, itemId(1)))).toMatchObject({ outcome: 'stopped', ended: 1 });
    expect(last('stop')).toMatchObject({ outputs: [gate] });
    expect(await json(stop(whole, itemId(1), { devices: ['speaker-gate'] }))).toMatchObject({ ended: 1, left: 1 });
    expect((await stop(guard, itemId(1), { devices: ['speaker-teaching'] })).status).toBe(404);
  });

  test('of an emergency needs the right, and of what is not there is said', async () => {
    core.items = [item(4, 'fire', both), item(5, 'bell', [{ output: teaching, state: 'playing' }])];
    expect((await stop(whole, itemId(4))).status).toBe(403);
    expect((await stop(captain, itemId(4))).status).toBe(200);
    expect((await stop(whole, itemId(6))).status).toBe(404);
    expect((await stop(guard, itemId(5))).status).toBe(404);
    core.stop = { outcome: 'goes-on', item: itemId(4), askers: [itemId(7)] };
    expect(await json(stop(captain, itemId(4)))).toMatchObject({ outcome: 'goes-on', ended: 0 });
    core.stop = { outcome: 'stopped', item: itemId(4), askers: [] };
  });
});

describe('loudness', () => {
  const cap = { name: 'night', zones: ['gate', 'teaching'], from: 1_320, to: 360, days: [1, 2], most: 40 };
  const stored = {
    classes: { bell: 80 },
    emergency: 90,
    zones: { gate: 50, teaching: 70 },
    devices: { 'speaker-teaching': 60 },
    caps: [cap],
  };

  test('is as usual while nobody set anything, and is set for the whole campus', async () => {
    const { body } = await json(whole('/api/v1/broadcast/levels'));
    expect(body).toEqual({ classes: {}, emergency: 100, zones: {}, devices: {}, caps: [] });
    const put = await json(
      whole('/api/v1/broadcast/levels', jsonBody('PUT', { rev: 0, body: stored, why: 'too loud' })),
    );
    expect(put).toEqual({ rev: 1 });
    expect(last('levels')).toMatchObject({ rev: 0, body: stored, why: 'too loud', from: '127.0.0.1' });
    const wrong = { ...stored, classes: { bell: 101 } };
    expect((await whole('/api/v1/broadcast/levels', jsonBody('PUT', { rev: 1, body: wrong }))).status).toBe(400);
  });

  test('of one’s own zones is one’s own to set, and that of others stays as it was', async () => {
    const who = { who: 'person:li', from: '::1', why: '', time: 1 };
    await web.open.append({
      documents: [{ ...who, kind: 'soundLevels', id: 'campus', rev: 0, body: structuredClone(stored) as never }],
    });
    const seen = (await json(guard('/api/v1/broadcast/levels'))) as { rev: number; body: typeof stored };
    expect(seen.body).toMatchObject({ zones: { gate: 50 }, devices: {}, caps: [{ zones: ['gate'] }] });
    const put = (body: unknown) => guard('/api/v1/broadcast/levels', jsonBody('PUT', { rev: seen.rev, body }));
    expect((await put({ ...seen.body, zones: { gate: 30 } })).status).toBe(200);
    expect(last('levels')).toMatchObject({ body: { ...stored, zones: { gate: 30, teaching: 70 } } });
    for (const wrong of [
      { zones: { teaching: 1 } },
      { devices: { 'speaker-teaching': 1 } },
      { caps: [] },
      { emergency: 100 },
    ]) {
      expect((await put({ ...seen.body, ...wrong })).status).toBe(403);
    }
  });
});

describe('quiet rooms', () => {
  test('are those of the school day and of people, and only one’s own may be ended', async () => {
    const of = { kind: 'recording', from: 0, until: 9e12, reason: 'open lesson' };
    core.quiets = [
      { ...of, id: 'exam-1', kind: 'exam', outputs: [gate, teaching], by: 'school:exam' },
      { ...of, id: 'mine', outputs: [gate], by: 'person:li' },
      { ...of, id: 'wide', outputs: [gate, teaching], by: 'person:li' },
      { ...of, id: 'other', outputs: [teaching], by: 'person:li' },
    ];
    const told = (await (await guard('/api/v1/broadcast/quiet')).json()) as {
      id: string;
      mayEnd: boolean;
      devices: string[];
    }[];
    expect(told.map(({ id, mayEnd, devices }) => [id, mayEnd, devices.length])).toEqual([
      ['exam-1', false, 1],
      ['mine', true, 1],
      ['wide', false, 1],
    ]);
    const end = (id: string) => guard(`/api/v1/broadcast/quiet/${id}?why=over`, { method: 'DELETE' });
    expect([(await end('other')).status, (await end('exam-1')).status, (await end('mine')).status]).toEqual([
      404, 409, 200,
    ]);
    expect(last('quiet.end')).toMatchObject({ id: 'mine', why: 'over' });
  });

  test('are asked for within half a day and one’s zones', async () => {
    const ask = (more: object) =>
      guard(
        '/api/v1/broadcast/quiet',
        jsonBody('POST', { devices: ['speaker-gate'], until: Date.now() + 3_600_000, why: 'lesson', ...more }),
      );
    expect((await ask({})).status).toBe(200);
    expect(last('quiet')).toMatchObject({ kind: 'recording', zones: [], devices: ['speaker-gate'], why: 'lesson' });
    expect((await ask({ until: Date.now() + 13 * 3_600_000 })).status).toBe(400);
    expect((await ask({ until: 5 })).status).toBe(400);
    expect((await ask({ zones: ['teaching'] })).status).toBe(404);
    expect((await ask({ devices: [] })).status).toBe(400);
  });
});

test('whoever listens is told that what sounds has changed', async () => {
  const answer = await whole('/api/v1/stream', { signal: AbortSignal.timeout(20_000) });
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const reading = (async () => {
    for (;;) {
      const next = await reader?.read();
      if (next === undefined || next.done) return;
      text += next.value;
    }
  })().catch(() => {});
  await vi.waitFor(() => expect(text).toContain('event: processes'), 20_000);
  web.live.accept({ kind: 'sound', body: { time: 42 } });
  await vi.waitFor(() => expect(text).toContain('event: sound\ndata: {"time":42}'), 20_000);
  await reader?.cancel();
  await reading;
});

const missed: Alarm = {
  ...{ id: '01939d5e-0000-7000-8000-000000000099' as HappeningId, source: 'delivery:speaker-gate', class: 'high' },
  ...{ state: 'unacknowledged', active: true, message: { zh: '校门没有响', en: 'gate did not play' }, count: 1 },
  ...{ next: { zh: '查看', en: 'look' }, reason: 'no packets left', device: 'speaker-gate' as DeviceId, raised: 5 },
} as const;
