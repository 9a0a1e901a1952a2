import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { BroadcastItem } from '#edge/domain/broadcast.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import { openStudio } from '#edge/drivers/sound/studio.ts';
import { recordingHeader } from '#edge/drivers/sound/talk-file.ts';
import { startTalkLine, type TalkLine } from '#edge/processes/broadcast-talk.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { recordingFacts } from '#edge/web/broadcast-recordings.ts';
import type { TalkMessage } from '#edge/web/broadcast-schemas.ts';
import { sine } from '../broadcast/talk-rig.ts';
import { type Browser, type PeopleRoom, problemOf, startPeopleRoom } from './people-room.ts';

/*
 * Who may speak, and how a talk ends: a real web process before the real socket of `broadcast` (its studio, its recordings). Core is
 * played: it remembers what it was asked, and ends items when the test says so.
 */

const patient = { timeout: 20_000, interval: 20 };

const core = {
  asked: [] as { method: string; params: Record<string, unknown> }[],
  ended: new Set<string>(),
  refusal: null as string | null,
};
const method =
  (name: string, answer: (params: Record<string, unknown>) => object) =>
  async (params: unknown): Promise<object> => {
    const asked = params as Record<string, unknown>;
    core.asked.push({ method: name, params: asked });
    return answer(asked);
  };
const methods = {
  'broadcast.play': method('play', () => {
    if (core.refusal === 'SOUND_NO_SPEAKER') throw new CodedError(core.refusal, 'nothing there can be heard');
    if (core.refusal !== null)
      return { outcome: 'refused', item: null, refusal: { code: core.refusal }, refusedOn: [], message: 'too many' };
    return { outcome: 'taken', item: newHappeningId(systemClock), refusal: null, refusedOn: [], message: '' };
  }),
  'broadcast.renew': method('renew', ({ item }) => ({ goesOn: !core.ended.has(String(item)) })),
  'broadcast.item': method('item', () => ({ parts: [{ state: 'playing' }, { state: 'waiting' }] })),
  'broadcast.stop': method('stop', ({ item }) => {
    core.ended.add(String(item));
    return { outcome: 'stopped', item, askers: [] };
  }),
};
const told = (name: string) => core.asked.filter((one) => one.method === name).map(({ params }) => params);

let room: PeopleRoom;
let line: (TalkLine & AsyncDisposable) | null = null;
let studio: ReturnType<typeof openStudio>;

async function startBroadcast(): Promise<void> {
  line = startTalkLine({ data: room.data, studio, clock: systemClock, log: silentLog });
  await line.opened;
}
async function stopBroadcast(): Promise<void> {
  await line?.[Symbol.asyncDispose]();
  line = null;
  await rm(join(room.data, 'sound.key'), { force: true });
}

beforeAll(async () => {
  room = await startPeopleRoom({ methods });
  studio = openStudio({ clips: {}, folder: room.data, clock: systemClock });
}, 60_000);
afterAll(async () => {
  await stopBroadcast();
  await studio?.[Symbol.asyncDispose]();
  await room?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  if (line === null) await startBroadcast();
  await room.reset();
  Object.assign(core, { asked: [], ended: new Set(), refusal: null });
  await room.addPerson('teacher', 'timetable', { zones: ['teaching'] });
  await room.addPerson('guard', 'security', { zones: 'all' });
});

interface Speaking {
  readonly socket: WebSocket;
  readonly said: TalkMessage[];
  readonly closed: number[];
  readonly refused: number[];
}

function speak(browser: Browser, session: string, headers: Record<string, string> = {}): Speaking {
  const socket = new WebSocket(`${room.url().replace('http', 'ws')}/api/v1/broadcast/talk/${session}`, {
    headers: { cookie: browser.cookie, origin: room.url(), ...headers },
  });
  const speaking: Speaking = { socket, said: [], closed: [], refused: [] };
  socket.on('message', (content: Buffer) => speaking.said.push(JSON.parse(content.toString())));
  socket.on('error', () => {});
  socket.on('open', () => {
    socket.send(JSON.stringify({ kind: 'format', codec: 'pcm', rate: 48_000 }));
    const sending = setInterval(() => socket.send(sine(700, 48_000, 60)), 60);
    socket.once('close', () => clearInterval(sending));
  });
  socket.on('unexpected-response', (_request, response) => {
    speaking.refused.push(response.statusCode ?? 0);
    socket.terminate();
  });
  socket.on('close', (code) => speaking.closed.push(code));
  return speaking;
}

const over = ({ said }: Speaking) => said.find((one) => one.kind === 'over');
const here = { zones: ['teaching'] };

async function begin(browser: Browser, body: object = here): Promise<{ session: string; item: string }> {
  const answer = await browser.post('broadcast/talk', body);
  expect(answer.status).toBe(200);
  return (await answer.json()) as { session: string; item: string };
}

async function speaking(browser: Browser, body?: object) {
  const { session, item } = await begin(browser, body);
  const it = speak(browser, session);
  await vi.waitFor(() => expect(it.said.map(({ kind }) => kind)).toContain('speak'), patient);
  return { ...it, item, session };
}

describe('a live page', () => {
  it('is an item of core with a lease, renewed while somebody speaks, and stopped when he ends', async () => {
    const teacher = await room.signedIn('teacher');
    const it = await speaking(teacher, { ...here, devices: ['speaker-teaching'], why: 'a parent waits' });
    expect(told('play')).toMatchObject([
      {
        ...{ class: 'page', zones: ['teaching'], outputs: ['speaker-teaching/clip'], lease: 10_000 },
        ...{ source: { kind: 'live', session: it.session }, who: 'person:teacher', why: 'a parent waits' },
      },
    ]);
    const figures = () => it.said.findLast((one) => one.kind === 'figures');
    await vi.waitFor(
      () => expect(figures()).toMatchObject({ playing: 1, outputs: 2, recordingFailed: false }),
      patient,
    );
    await vi.waitFor(() => expect(figures()?.recorded).toBeGreaterThan(400), patient);
    expect(told('renew').length).toBeGreaterThan(0);
    it.socket.send(JSON.stringify({ kind: 'end' }));
    await vi.waitFor(() => expect(over(it)).toEqual({ kind: 'over', reason: 'ended' }), patient);
    await vi.waitFor(() => expect(told('stop')).toMatchObject([{ item: it.item, who: 'person:teacher' }]), patient);
  });

  it('is over, with its item, when the window is closed', async () => {
    const it = await speaking(await room.signedIn('teacher'));
    it.socket.terminate();
    await vi.waitFor(() => expect(told('stop')).toMatchObject([{ item: it.item }]), patient);
  });

  it('is over when core says so: somebody else has stopped it', async () => {
    const it = await speaking(await room.signedIn('teacher'));
    core.ended.add(it.item);
    await vi.waitFor(() => expect(over(it)).toEqual({ kind: 'over', reason: 'stopped' }), patient);
    expect(told('stop')).toEqual([]);
  });

  it('goes on while core is away, and ends rightly when it is back', async () => {
    const it = await speaking(await room.signedIn('teacher'));
    await room.stopCore();
    const before = it.said.length;
    await vi.waitFor(() => expect(it.said.length).toBeGreaterThan(before + 3), patient);
    expect(over(it)).toBeUndefined();
    it.socket.send(JSON.stringify({ kind: 'end' }));
    await vi.waitFor(() => expect(over(it)).toEqual({ kind: 'over', reason: 'ended' }), patient);
    await room.startCore();
    await vi.waitFor(() => expect(told('stop')).toMatchObject([{ item: it.item }]), patient);
  });

  it('is over with its reason when the process of loudspeakers dies, and another can begin', async () => {
    const teacher = await room.signedIn('teacher');
    const it = await speaking(teacher);
    await stopBroadcast();
    await vi.waitFor(() => expect(over(it)).toEqual({ kind: 'over', reason: 'sound-away' }), patient);
    await vi.waitFor(() => expect(told('stop')).toMatchObject([{ item: it.item }]), patient);
    const { session } = await begin(teacher);
    const meanwhile = speak(teacher, session);
    await vi.waitFor(() => expect(over(meanwhile)).toEqual({ kind: 'over', reason: 'sound-away' }), patient);
    await startBroadcast();
    const again = await speaking(teacher);
    again.socket.terminate();
  });

  it('ends with the session of whoever speaks', async () => {
    const teacher = await room.signedIn('teacher');
    const it = await speaking(teacher);
    await teacher.post('logout');
    await vi.waitFor(() => expect(it.closed).toHaveLength(1), patient);
    await vi.waitFor(() => expect(told('stop')).toMatchObject([{ item: it.item }]), patient);
  });

  it('that nobody takes up is stopped', async () => {
    const { item, session } = await begin(await room.signedIn('teacher'));
    await vi.waitFor(() => expect(told('stop')).toMatchObject([{ item }]), patient);
    const late = speak(await room.signedIn('teacher'), session);
    await vi.waitFor(() => expect(late.refused).toEqual([404]), patient);
  });

  it('is one at a time for a person; one that was not taken up gives way', async () => {
    const teacher = await room.signedIn('teacher');
    const first = await begin(teacher);
    const second = await begin(teacher);
    await vi.waitFor(() => expect(told('stop')).toMatchObject([{ item: first.item }]), patient);
    const it = speak(teacher, second.session);
    await vi.waitFor(() => expect(it.said.map(({ kind }) => kind)).toContain('speak'), patient);
    const third = await problemOf(await teacher.post('broadcast/talk', here));
    expect(third).toMatchObject({ status: 409, error: 'talk-open' });
    it.socket.terminate();
  });

  it('that core refuses has no session, and says why', async () => {
    core.refusal = 'too-many-items';
    const teacher = await room.signedIn('teacher');
    const answer = await (await teacher.post('broadcast/talk', here)).json();
    expect(answer).toMatchObject({ outcome: 'refused', item: null, session: null, message: 'too many' });
    core.refusal = 'SOUND_NO_SPEAKER';
    expect((await teacher.post('broadcast/talk', here)).status).toBe(409);
    core.refusal = null;
    await begin(teacher);
  });
});

describe('who may speak', () => {
  it('in one’s zones only, and as the duty microphone with the right to emergencies only', async () => {
    const [teacher, guard] = [await room.signedIn('teacher'), await room.signedIn('guard')];
    const refused = [
      [teacher, { zones: ['gate'] }, 404],
      [teacher, { devices: ['speaker-gate'] }, 404],
      [teacher, { devices: ['camera-gate'] }, 404],
      [teacher, {}, 400],
      [teacher, { ...here, class: 'microphone' }, 403],
      [teacher, { ...here, class: 'fire' }, 400],
    ] as const;
    for (const [browser, body, status] of refused) {
      expect((await browser.post('broadcast/talk', body)).status).toBe(status);
    }
    expect(told('play')).toEqual([]);
    await begin(teacher, { zones: 'all' });
    await begin(guard, { zones: 'all', class: 'microphone' });
    expect(told('play').map(({ zones, class: of }) => [zones, of])).toEqual([
      [['teaching'], 'page'],
      ['all', 'microphone'],
    ]);
  });

  it('from a page of ours alone, into a talk of one’s own alone, and by a WebSocket alone', async () => {
    await room.addPerson('auditor', 'auditor');
    const [teacher, guard] = [await room.signedIn('teacher'), await room.signedIn('guard')];
    const { session } = await begin(teacher);
    expect((await teacher.get(`broadcast/talk/${session}`)).status).toBe(400);
    const all = [
      speak(guard, session),
      speak(await room.signedIn('teacher'), session),
      speak(teacher, session, { origin: 'http://elsewhere.example' }),
      speak(await room.signedIn('auditor'), session),
      speak(teacher, '01939d5e-0000-7000-8000-000000000001'),
    ];
    await vi.waitFor(() => expect(all.every(({ refused }) => refused.length === 1)).toBe(true), patient);
    expect(all.map(({ refused }) => refused[0])).toEqual([404, 404, 403, 403, 404]);
    const own = speak(teacher, session);
    await vi.waitFor(() => expect(own.said.map(({ kind }) => kind)).toContain('speak'), patient);
    own.socket.terminate();
  });

  it('gets what is larger than a piece cut, and is ended for what no browser sends', async () => {
    const it = await speaking(await room.signedIn('teacher'));
    it.socket.send(sine(700, 48_000, 250));
    await vi.waitFor(() => expect(it.said.findLast(({ kind }) => kind === 'figures')).toBeDefined(), patient);
    expect(over(it)).toBeUndefined();
    it.socket.send(`{"kind":"${'x'.repeat(2_000)}"}`);
    await vi.waitFor(() => expect(over(it)).toEqual({ kind: 'over', reason: 'bad-sound' }), patient);
  });
});

describe('what was said', () => {
  const put = async (item: string) => {
    const sound = sine(500, 16_000, 2_000);
    await mkdir(join(room.data, 'recordings'), { recursive: true });
    const file = Buffer.concat([recordingHeader({ class: 'page', begin: 1_800_000_000_000 }, sound.length), sound]);
    await writeFile(join(room.data, 'recordings', `${item}.wav`), file);
    return file;
  };

  it('can be listened to, whole or in part, and who listened is in the audit once, before the first byte', async () => {
    const item = newHappeningId(systemClock);
    const file = await put(item);
    const guard = await room.signedIn('guard');
    const part = await guard.get(`broadcast/items/${item}/recording`, { range: 'bytes=100-299' });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 100-299/${file.length}`]);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(file.subarray(100, 300));
    const whole = await guard.get(`broadcast/items/${item}/recording`);
    expect([whole.status, whole.headers.get('content-type')]).toEqual([200, 'audio/wav']);
    expect(Buffer.from(await whole.arrayBuffer())).toEqual(file);
    const tail = await guard.get(`broadcast/items/${item}/recording`, { range: 'bytes=-10' });
    expect(Buffer.from(await tail.arrayBuffer())).toEqual(file.subarray(-10));
    const beyond = await guard.get(`broadcast/items/${item}/recording`, { range: 'bytes=9999999-' });
    expect(beyond.status).toBe(416);
    const lines = room.audit().filter(({ what }) => what.startsWith('listen'));
    expect(lines.map(({ who, what }) => [who, what])).toEqual([['person:guard', `listen recording ${item}`]]);
    expect(await recordingFacts(room.data, item)).toEqual({ length: 2_000, bytes: file.length });
  });

  it('in one’s own rooms may be heard again, what was said elsewhere may not', async () => {
    const [ours, theirs] = [newHappeningId(systemClock), newHappeningId(systemClock)];
    for (const [id, output] of [
      [ours, 'speaker-teaching/clip'],
      [theirs, 'speaker-gate/clip'],
    ] as const) {
      await put(id);
      const item: BroadcastItem = {
        ...{ id, class: 'page', name: { zh: '喊话', en: 'Live page' }, zones: [], outputs: [output as PointRef] },
        ...{ source: { kind: 'live', session: 's' }, since: 1, length: null, patience: null, until: null },
        ...{ interruption: 'drop', drill: false, by: 'person:guard', why: 'w' },
      };
      await room.append({ broadcasts: [{ item, over: 2, counts: {} }] });
    }
    const teacher = await room.signedIn('teacher');
    expect((await teacher.get(`broadcast/items/${ours}/recording`)).status).toBe(200);
    expect((await teacher.get(`broadcast/items/${theirs}/recording`)).status).toBe(404);
    await room.addPerson('looker', 'viewer', { zones: 'all' });
    const looker = await room.signedIn('looker');
    expect((await looker.get(`broadcast/items/${ours}/recording`)).status).toBe(403);
  });

  it('is not heard where nobody can write down who listened, nor by those who may not', async () => {
    const item = newHappeningId(systemClock);
    await put(item);
    const [teacher, guard] = [await room.signedIn('teacher'), await room.signedIn('guard')];
    expect((await teacher.get(`broadcast/items/${item}/recording`)).status).toBe(404);
    expect((await guard.get(`broadcast/items/${newHappeningId(systemClock)}/recording`)).status).toBe(404);
    expect((await guard.get('broadcast/items/..%2f..%2fcampus.db/recording')).status).toBe(400);
    await room.stopCore();
    expect((await guard.get(`broadcast/items/${item}/recording`)).status).toBe(503);
    await room.startCore();
    expect((await guard.get(`broadcast/items/${item}/recording`)).status).toBe(200);
  });
});
