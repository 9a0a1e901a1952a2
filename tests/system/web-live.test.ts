import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { alarmTopic, campusEventTopic, healthTopic, outputTopic, readingTopic } from '#edge/bus/topics.ts';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { DeviceId, PointName, PointRef } from '#edge/domain/ids.ts';
import type { OutputState } from '#edge/domain/output.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { startWebProcess } from '#edge/processes/web.ts';
import type { Running } from '#edge/runtime/child.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { loadSite } from '#edge/runtime/site.ts';
import { openStore, type Store } from '#edge/store/store.ts';
import { startTestBroker, type TestBroker, token } from './broker-harness.ts';

/* The web process on its own: a real broker that tells what core would, and a real store that is written beside it. */

const soon = { timeout: 30_000, interval: 50 };
const data = mkdtempSync(join(tmpdir(), 'web-live-'));
let broker: TestBroker;
let store: Store;
let web: Running;
let url: string;

beforeAll(async () => {
  broker = await startTestBroker();
  const demo = await loadSite(join(import.meta.dirname, '../../edge/simulators/demo-site.yaml'));
  store = await openStore({ folder: data, log: silentLog, retention: demo.retention });
  const site = {
    ...demo,
    mqtt: { ...demo.mqtt, hosts: ['127.0.0.1'], port: broker.port },
    http: { host: '127.0.0.1', port: 0 },
    https: null,
    flows: { ...demo.flows, enabled: false },
  };
  const tokens = { web: token('web') };
  const init = { site, data, tokens, flowsSecret: 'unused', siteError: null };
  web = await startWebProcess(init, { clock: systemClock, log: silentLog, onProcesses: () => {} });
  url = String(web.info.url);
});
afterAll(async () => {
  await web?.[Symbol.asyncDispose]();
  await broker?.[Symbol.asyncDispose]();
  await store?.[Symbol.asyncDispose]();
  rmSync(data, { recursive: true, force: true });
});

async function get<T>(path: string): Promise<T> {
  const bearer = readFileSync(join(data, 'admin-token'), 'utf8').trim();
  const answer = await fetch(`${url}/api/v1/${path}`, {
    headers: { authorization: `Bearer ${bearer}` },
    signal: AbortSignal.timeout(10_000),
  });
  return (await answer.json()) as T;
}
const health = async () => (await (await fetch(`${url}/healthz`)).json()) as { coreConnected: boolean };

const tell = (topic: string, payload: object | null, retain = true) =>
  broker.broker.bus.publish(topic, payload, { retain });
const ref = 'meter-main/power' as PointRef;
const reading = (value: number): Reading => ({
  ref,
  device: 'meter-main' as DeviceId,
  point: 'power' as PointName,
  value,
  unit: 'W',
  quality: 'good',
  sourceTime: systemClock.now(),
  receivedTime: systemClock.now(),
});

test('hears core as soon as there is one to hear, and shows what was retained before', async () => {
  await tell(readingTopic(ref), reading(17));
  await vi.waitFor(async () => expect(await health()).toMatchObject({ coreConnected: true }), soon);
  await vi.waitFor(async () => {
    const points = await get<{ id: string; value: unknown; quality: string }[]>('points');
    expect(points.find(({ id }) => id === ref)).toMatchObject({ value: 17, quality: 'good' });
  }, soon);
});

test('hands on every kind of word of core, and leaves out what cannot be read', async () => {
  const output: OutputState = {
    ref: 'relay-1/relay_5' as PointRef,
    value: false,
    holder: 'interlock:fire',
    priority: 1,
    reason: 'interlock:fire at 1: smoke',
    since: 1,
    until: null,
    stack: [
      {
        ref: 'relay-1/relay_5' as PointRef,
        priority: 1,
        owner: 'interlock:fire',
        value: false,
        reason: 'smoke',
        since: 1,
        until: null,
      },
    ],
    confirmed: { value: false, outcome: 'done', time: 2 },
    next: null,
    waiting: null,
    forbidden: [],
    local: null,
  };
  await tell(outputTopic(output.ref), { nonsense: true });
  await tell(outputTopic(output.ref), output);
  const fault = {
    device: 'meter-main',
    state: 'offline',
    message: 'no answer; next try in 8 s',
    since: 1,
    counters: { timeout: 3 },
  };
  const process = { process: 'fieldbus', state: 'ready', time: 1, instance: 'a', devices: [fault] };
  await tell(healthTopic('fieldbus'), process);
  await vi.waitFor(async () => expect(await get('outputs')).toEqual([output]), soon);
  await vi.waitFor(async () => {
    expect(await get('devices')).toContainEqual({ ...fault, process: 'fieldbus' });
  }, soon);
  // The last will of a driver: what it said of its devices does not count any more.
  await tell(healthTopic('fieldbus'), { ...process, state: 'stopped' });
  await vi.waitFor(async () => {
    const devices = await get<{ device: string; state: string; message: string }[]>('devices');
    expect(devices.find(({ device }) => device === 'meter-main')).toMatchObject({
      state: 'offline',
      message: expect.stringContaining('fieldbus is not running'),
    });
  }, soon);
});

test('streams happenings, and reads the history that core wrote meanwhile', async () => {
  const bearer = readFileSync(join(data, 'admin-token'), 'utf8').trim();
  const ending = new AbortController();
  const stream = await fetch(`${url}/api/v1/stream`, {
    headers: { authorization: `Bearer ${bearer}` },
    signal: ending.signal,
  });
  let heard = '';
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
  const reading_ = (async () => {
    for (;;) {
      const chunk = await reader?.read();
      if (chunk === undefined || chunk.done) return;
      heard += chunk.value;
    }
  })().catch(() => {});
  const event: CampusEvent = { id: newHappeningId(systemClock), type: 'person', time: systemClock.now(), data: {} };
  const alarm: Alarm = {
    id: newHappeningId(systemClock),
    source: 'interlock:leak',
    class: 'high',
    state: 'unacknowledged',
    active: true,
    message: { zh: '漏水', en: 'Leak' },
    next: { zh: '关阀', en: 'Close the valve' },
    raised: systemClock.now(),
    count: 1,
  };
  await store.append({ events: [event], alarms: [alarm] });
  await tell(campusEventTopic('person'), event, false);
  await tell(alarmTopic(alarm.id), alarm);
  await tell(alarmTopic(alarm.id), null);
  await tell(readingTopic(ref), reading(18));
  await vi.waitFor(() => {
    expect(heard).toContain('event: readings\ndata: [["meter-main/power",18,"good",null,');
    expect(heard).toContain(`id: ${event.id}\nevent: event\n`);
    expect(heard).toContain(`event: alarm\ndata: ${JSON.stringify(alarm)}\n`);
    expect(heard).toContain(`event: alarm\ndata: {"id":"${alarm.id}","state":"normal"}\n`);
  }, soon);
  ending.abort();
  await reading_;
  expect(await get('events')).toEqual([event]);
  expect(await get('alarms?open=true')).toEqual([alarm]);
});

test('when core goes it says so, nothing looks fresh any more, and history is still there', async () => {
  await broker[Symbol.asyncDispose]();
  await vi.waitFor(async () => expect(await health()).toMatchObject({ coreConnected: false }), soon);
  await vi.waitFor(async () => {
    const points = await get<{ id: string; value: unknown; quality: string; reason: string }[]>('points');
    expect(points.find(({ id }) => id === ref)).toMatchObject({
      value: 18,
      quality: 'uncertain',
      reason: 'last-usable-value',
    });
  }, soon);
  expect(await get('events')).toHaveLength(1);
});
