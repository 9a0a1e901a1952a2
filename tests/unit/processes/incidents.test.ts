import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Incident } from '#edge/domain/incident.ts';
import type { Clip } from '#edge/domain/recording.ts';
import { verifyAudit } from '#edge/store/audit-chain.ts';
import { type GatehouseCore, gate, lin, playground, startGatehouse, wang } from '../../system/gatehouse-core.ts';
import { temporaryData, until } from '../../system/safety-core.ts';

/* Incidents on a real core: its broker, store and socket. */

let data: ReturnType<typeof temporaryData>;
let at: GatehouseCore;

const begin = async () => {
  at = await startGatehouse({ data: data.path });
};
beforeAll(async () => {
  data = temporaryData();
  await begin();
}, 60_000);
afterAll(async () => {
  await at[Symbol.asyncDispose]();
  data[Symbol.dispose]();
});

const call = (method: string, params: object) => at.rpc.call(`incident.${method}`, params) as Promise<Incident>;
const open = () => at.reader.incidents({ states: ['new', 'claimed', 'escalated'], limit: 100 });
const audit = (verb: string) => at.reader.newestAudit(200).filter(({ what }) => what.startsWith(verb));
/** Nothing is left of the test before. */
const clear = async () => {
  for (const { id } of open()) await call('resolve', { id, outcome: 'test', note: '', ...wang });
};

describe('what happens', () => {
  test('is an incident when it is acknowledged, and everybody is told after it is stored', async () => {
    const first = await at.happens(gate, 'person', { snapshot: '2026-11-22/a.jpg' });
    const [incident] = open();
    expect(incident).toMatchObject({
      state: 'new',
      class: 'medium',
      zone: 'gate',
      events: [first],
      picture: '2026-11-22/a.jpg',
    });
    const id = incident?.id ?? '';
    await until(() => expect(at.incidents.get(id)).toMatchObject({ count: 1, types: ['person'] }));
    expect(at.incidents.get(id)).not.toHaveProperty('course');
    // Growing is written within a second; becoming graver at once.
    await at.happens(gate, 'motion');
    await until(() => expect(at.reader.incident(id)).toMatchObject({ count: 2 }));
    await at.happens(playground, 'person');
    expect(open()).toHaveLength(2);
    await at.happens(gate, 'noise');
    expect(open()).toHaveLength(2);
    await clear();
    await until(() => expect(at.incidents.size).toBe(0));
  });

  test('twice is there once, also when it is sent again', async () => {
    const id = await at.happens(gate, 'person');
    await at.camera.mqtt.publishAsync('v1/in/camera-gate/event', JSON.stringify({ id, type: 'person' }), { qos: 1 });
    await at.happens(gate, 'motion');
    await until(() => expect(open()[0]).toMatchObject({ count: 2 }));
    await clear();
  });

  test('at a camera that records by event makes a clip that goes on as long as it happens, and belongs to it', async () => {
    const before = at.reader.clips({ limit: 100 }).length;
    await at.happens(gate, 'person');
    const [clip] = at.reader.clips({ limit: 100 });
    const [incident] = open();
    expect(clip).toMatchObject({
      camera: gate,
      why: 'event',
      state: 'pending',
      isProtected: false,
      incident: incident?.id,
    });
    expect((clip?.to ?? 0) - (clip?.from ?? 0)).toBe(30_000);
    await at.happens(gate, 'motion');
    await until(() => expect(at.reader.clip(clip?.id ?? '')?.to).toBeGreaterThan(clip?.to ?? 0));
    expect(at.reader.clips({ limit: 100 })).toHaveLength(before + 1);
    // Until the incident is over for a month nothing of it is deleted.
    const { ranges } = (await at.rpc.call('footage.protected', {})) as {
      ranges: { camera: string; kind: string; from: number }[];
    };
    expect(ranges.find(({ camera, kind }) => camera === gate && kind === 'kept')?.from).toBeLessThanOrEqual(
      incident?.from ?? 0,
    );
    await clear();
  });
});

describe('people', () => {
  test('look, claim, write, let go and resolve, each with a line in the audit; others are refused what is not theirs', async () => {
    await at.happens(gate, 'person');
    const id = open()[0]?.id ?? '';
    expect(await at.rpc.call('incident.see', { ids: [id, id], ...lin })).toEqual({ seen: 1 });
    expect(await at.rpc.call('incident.see', { ids: [id], ...wang })).toEqual({ seen: 0 });
    expect(await call('claim', { id, take: false, ...lin })).toMatchObject({
      state: 'claimed',
      claimedBy: { name: 'Lin' },
    });
    await expect(call('claim', { id, take: false, ...wang })).rejects.toMatchObject({
      code: 'INCIDENT_REFUSED',
      message: expect.stringContaining('Lin'),
    });
    await expect(call('release', { id, note: '', ...wang })).rejects.toMatchObject({ code: 'INCIDENT_REFUSED' });
    await call('note', { id, note: '两人翻墙', ...wang });
    await call('claim', { id, take: true, ...wang });
    await call('release', { id, note: 'shift is over', ...wang });
    const done = await call('resolve', { id, outcome: 'handled', note: 'parents', ...lin });
    expect(done).toMatchObject({ state: 'resolved', outcome: 'handled', note: 'parents', seenBy: { name: 'Lin' } });
    expect(done.course.map(({ what, name }) => `${what} ${name}`.trim())).toEqual([
      ...['opened', 'seen Lin', 'claimed Lin', 'noted Wang', 'claimed Wang', 'released Wang', 'resolved Lin'],
    ]);
    expect(at.reader.incident(id)).toEqual(done);
    const acts = ['see', 'claim', 'note', 'take', 'release', 'resolve'].map(
      (verb) => audit(`incident.${verb} ${id}`)[0],
    );
    expect(acts.map((line) => [line?.who, line?.from, line?.result])).toEqual([
      ['person:lin', '192.0.2.7', 'seen'],
      ['person:lin', '192.0.2.7', 'claimed'],
      ['person:wang', '192.0.2.8', 'claimed'],
      ['person:wang', '192.0.2.8', 'claimed'],
      ['person:wang', '192.0.2.8', 'new'],
      ['person:lin', '192.0.2.7', 'resolved, handled'],
    ]);
    expect(await call('reopen', { id, reason: 'they came back', ...lin })).toMatchObject({
      state: 'new',
      outcome: null,
    });
    await expect(
      call('claim', { id: '019f0000-0000-7000-8000-000000000001', take: false, ...lin }),
    ).rejects.toMatchObject({
      code: 'INCIDENT_NOT_FOUND',
    });
    for (const params of [
      { id: 'x', note: 'y', ...lin },
      { id, note: 'y', who: 'lin', from: '', name: 'Lin' },
      { id, ...lin },
    ])
      await expect(call('note', params)).rejects.toMatchObject({ code: 'RPC_PARAMS' });
    await clear();
  });

  test('mark footage, which is kept until somebody lets it go with a reason', async () => {
    await at.happens(gate, 'person');
    const incident = open()[0];
    const id = incident?.id ?? '';
    const [begins, ends] = [(incident?.from ?? 0) - 60_000, incident?.from ?? 0];
    const wish = { camera: gate, begin: begins, end: ends, note: 'the ladder' };
    const clip = (await at.rpc.call('incident.bookmark', { id, ...wish, ...lin })) as Clip;
    expect(clip).toMatchObject({
      why: 'person',
      isProtected: true,
      incident: id,
      from: begins,
      to: ends,
      note: 'the ladder',
    });
    expect(at.reader.incident(id)?.course.at(-1)).toMatchObject({
      what: 'bookmarked',
      text: expect.stringContaining('the ladder'),
    });
    const kept = async () => {
      const { ranges } = (await at.rpc.call('footage.protected', {})) as {
        ranges: { camera: string; kind: string; from: number }[];
      };
      return ranges.some(({ camera, kind, from }) => camera === playground && kind === 'kept' && from === begins);
    };
    const other = (await at.rpc.call('clip.mark', { ...wish, camera: playground, ...lin })) as Clip;
    expect(await kept()).toBe(true);
    expect(await at.rpc.call('clip.unprotect', { id: other.id, reason: 'the wrong camera', ...wang })).toMatchObject({
      isProtected: false,
    });
    expect(await kept()).toBe(false);
    expect(audit(`clip.unprotect ${other.id}`)[0]).toMatchObject({ who: 'person:wang', why: 'the wrong camera' });
    await expect(at.rpc.call('clip.unprotect', { id: other.id, reason: 'x', ...wang })).rejects.toMatchObject({
      code: 'CLIP_REFUSED',
    });
    const wrong = { ...wish, camera: 'speaker-gate', ...lin };
    await expect(at.rpc.call('clip.mark', wrong)).rejects.toMatchObject({ code: 'CAMERA_NOT_FOUND' });
    await expect(at.rpc.call('clip.mark', { ...wish, begin: ends, end: begins, ...lin })).rejects.toMatchObject({
      code: 'CLIP_REFUSED',
    });
    await clear();
  });

  test('make one of two', async () => {
    await at.happens(gate, 'person');
    await at.happens(playground, 'motion');
    const [part, whole] = open();
    if (part === undefined || whole === undefined) throw new Error('there are not two');
    const merged = (await at.rpc.call('incident.merge', { id: whole.id, part: part.id, ...lin })) as Incident;
    expect(merged).toMatchObject({ count: 2, devices: [gate, playground] });
    expect(at.reader.incident(part.id)).toMatchObject({ state: 'resolved', mergedInto: whole.id });
    await until(() => expect([...at.incidents.keys()]).toEqual([whole.id]));
    await clear();
  });
});

describe('an incident that nobody claims', () => {
  const escalated = async () => {
    await at.happens(gate, 'intrusion');
    const id = open()[0]?.id ?? '';
    await until(() =>
      expect(at.core.alarms.get(`incident:${id}`)).toMatchObject({ state: 'unacknowledged', class: 'high' }),
    );
    await until(() => expect(at.reader.incident(id)).toMatchObject({ state: 'escalated', escalatesAt: null }));
    return id;
  };

  test('is escalated at its time, which is an alarm; a claim acknowledges it, and it returns when it is resolved', async () => {
    const id = await escalated();
    const alarm = () => at.core.alarms.get(`incident:${id}`);
    expect(alarm()).toMatchObject({ zone: 'gate', device: gate, message: { zh: expect.stringContaining('校门') } });
    await call('claim', { id, take: false, ...lin });
    await until(() =>
      expect(alarm()).toMatchObject({ state: 'acknowledged', active: true, acknowledged: { by: 'lin' } }),
    );
    await call('resolve', { id, outcome: 'handled', note: '', ...lin });
    await until(() => expect(alarm()).toMatchObject({ state: 'normal', active: false }));
  });

  test('is not escalated when somebody claims it in time', async () => {
    await at.happens(gate, 'intrusion');
    const id = open()[0]?.id ?? '';
    await call('claim', { id, take: false, ...lin });
    const waited = Date.now();
    await until(() => expect(Date.now() - waited).toBeGreaterThan(1_600));
    expect(at.reader.incident(id)?.state).toBe('claimed');
    expect(at.core.alarms.get(`incident:${id}`)).toBeUndefined();
    await clear();
  });

  test('is there after a restart, told anew, and is escalated although core was away at its time', async () => {
    const told = await escalated();
    await at.happens(playground, 'intrusion');
    await at.happens(playground, 'motion');
    const waiting = open().find(({ zone }) => zone === 'playground')?.id ?? '';
    await at[Symbol.asyncDispose]();
    await begin();
    await until(() => expect([...at.incidents.keys()].sort()).toEqual([told, waiting].sort()));
    await until(() => expect(at.core.alarms.get(`incident:${waiting}`)).toMatchObject({ active: true }));
    expect(at.core.alarms.get(`incident:${told}`)).toMatchObject({ active: true });
    // What was heard in the last second before the end is not lost.
    await until(() => expect(at.reader.incident(waiting)).toMatchObject({ state: 'escalated', count: 2 }));
    await at.happens(playground, 'person');
    await until(() => expect(at.reader.incident(waiting)).toMatchObject({ count: 3 }));
    await clear();
    await until(() => expect(at.incidents.size).toBe(0));
  }, 60_000);
});

test('the chain of the audit is whole after all of it', async () => {
  expect(await verifyAudit(data.path)).toMatchObject({ ok: true });
});
