import { join } from 'node:path';
import { connect } from 'mqtt';
import { expect, vi } from 'vitest';
import { lanes } from '#bridge/contract/lanes.ts';
import { samplesTopic } from '#edge/bus/topics.ts';
import type { Alarm } from '#edge/domain/alarm.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { delay, within } from '#edge/runtime/lifecycle.ts';
import type { RuleBody } from '#edge/runtime/rule-body.ts';
import type { Site } from '#edge/runtime/site.ts';
import { openReader, type Reader } from '#edge/store/reader.ts';
import { query } from '../fixtures/bridge/city-check.ts';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { asDevice, Qos1Sensor } from './qos1-sensor.ts';
import { superviseQuickUplink } from './quick-uplink.ts';

/*
 * One run against the truth: a small campus and its city as real processes, clients that write down what they were
 * promised, and a hand that kills core and the city at random moments. `core-check.ts` judges what is left on disk.
 */

export interface RunOptions {
  readonly data: string;
  readonly coreKills: number;
  readonly cityKills: number;
  readonly seed: number;
  /** Samples acknowledged between one kill of core and the next: at least and at most. */
  readonly stride: readonly [least: number, most: number];
  /** The negative control. */
  readonly acknowledgeBeforeCommit: boolean;
}

/** What people and machines outside were told. */
export interface Promises {
  readonly campus: string;
  readonly from: number;
  readonly sensors: readonly Pick<Qos1Sensor, 'device' | 'sent' | 'acknowledged' | 'acknowledgedEvents'>[];
  /** Last word on v1/out/alarm of each occurrence. */
  readonly alarms: ReadonlyMap<string, Alarm>;
  /** Alarms whose acknowledgement by a person was answered. */
  readonly seenAlarms: readonly string[];
  /** Reasons of requests that were answered `accepted`. */
  readonly accepted: readonly string[];
  readonly asked: readonly string[];
  /** Heads of the outbox once everything had drained. */
  readonly heads: Readonly<Record<string, number>>;
  readonly kills: { readonly core: number; readonly city: number };
  readonly resent: number;
}

export const samplePoint = 'pm2_5';
const sensorNames = ['meter-a', 'meter-b', 'meter-c'];
const contact = 'contact-1';
const patience = { timeout: 30_000, interval: 20 };
/** Draining may have to wait for the uplink's longest pauses. */
const drainPatience = { timeout: 60_000, interval: 50 };

export async function runKills(options: RunOptions): Promise<Promises> {
  const from = systemClock.now();
  await using campus = await startCampus({
    data: options.data,
    simulators: false,
    only: ['web'],
    cityTest: { logReceived: true },
    change: reduce,
    onlyRules: { contact: closes },
    tuning: { acknowledgeBeforeCommit: options.acknowledgeBeforeCommit },
  });
  await using _uplink = superviseQuickUplink(campus.site, options.data, 'password-of-the-campus');
  await ready(campus, 'core', 0);
  await ready(campus, 'city', 0);
  await ready(campus, 'web', 0);
  using reader = openReader(options.data);
  await using stack = new AsyncDisposableStack();
  const { port } = campus.site.mqtt;
  const ending = new AbortController();
  stack.defer(() => ending.abort());
  const sensors = sensorNames.map((device) => {
    const password = campus.passwords[device] ?? '';
    return stack.use(new Qos1Sensor({ port, device, password, point: samplePoint, inFlight: 16, eventEvery: 40 }));
  });
  const alarms = new Map<string, Alarm>();
  stack.use(listen(campus, alarms));
  const switched = stack.use(toggleContact(campus));
  const people = askAround(campus, alarms, ending.signal);

  const acknowledged = () => sensors.reduce((sum, each) => sum + each.acknowledged.length, 0);
  const random = generator(options.seed);
  const [least, most] = options.stride;
  await Promise.all([
    killRepeatedly(
      campus,
      'core',
      options.coreKills,
      acknowledged,
      () => least + Math.floor((most - least) * random()),
    ),
    killRepeatedly(
      campus,
      'city',
      options.cityKills,
      () => takenByCity(options.data),
      () => 2 + Math.floor(12 * random()),
    ),
  ]);

  for (const sensor of sensors) sensor.finish();
  switched.finish();
  await vi.waitFor(() => expect(sensors.map(({ waiting }) => waiting)).toEqual([0, 0, 0]), drainPatience);
  ending.abort();
  const asked = await people;
  const heads = await drained(reader);
  return {
    campus: campus.site.campus.id,
    from,
    sensors,
    alarms,
    ...asked,
    heads,
    kills: { core: campus.status('core').restarts, city: campus.status('city').restarts },
    resent: sensors.reduce((sum, { resent }) => sum + resent, 0),
  };
}

const closes: RuleBody = {
  rule: 1,
  id: 'contact',
  name: { zh: '触点', en: 'Contact' },
  kind: 'safety',
  priority: 5,
  when: { kind: 'point', points: `${contact}/alarm`, test: { is: true }, onBad: 'hold' },
  then: [
    {
      kind: 'alarm',
      class: 'high',
      message: { zh: '触点动作', en: 'The contact has closed' },
      next: { zh: '查看现场', en: 'Look at the place' },
    },
  ],
};

/** Three counters, a contact that raises an alarm, and a relay that people ask for. */
function reduce(site: Site): Site {
  const air = site.devices.find(({ id }) => id === 'air-201');
  const panel = site.devices.find(({ id }) => id === 'fire-panel');
  const relay = site.devices.find(({ id }) => id === 'relay-1');
  if (air === undefined || panel === undefined || relay === undefined) throw new Error('the demo site has changed');
  const mine = (id: string) => ({ id, publish: [], subscribe: [], devices: [asDevice(id)], requests: [] });
  return {
    ...site,
    flows: { ...site.flows, enabled: false },
    devices: [...sensorNames.map((id) => ({ ...air, id: asDevice(id) })), { ...panel, id: asDevice(contact) }, relay],
    clients: [
      ...[...sensorNames, contact].map(mine),
      { id: 'listener', publish: [], subscribe: ['v1/out/alarm/#'], devices: [], requests: [] },
    ],
    clips: {},
  };
}

/** Kills a process each time it has got on by as much as `stride` says, and waits until it is back. */
async function killRepeatedly(
  campus: RunningCampus,
  name: string,
  kills: number,
  progress: () => number,
  stride: () => number,
): Promise<void> {
  for (let kill = 1; kill <= kills; kill++) {
    const goal = progress() + stride();
    await vi.waitFor(() => expect(progress(), `progress before kill ${kill} of ${name}`).toBeGreaterThanOrEqual(goal), {
      timeout: 30_000,
      interval: 5,
    });
    process.kill(campus.pid(name), 'SIGKILL');
    await ready(campus, name, kill);
  }
}

async function ready(campus: RunningCampus, name: string, restarts: number): Promise<void> {
  await vi.waitFor(() => expect(campus.status(name)).toMatchObject({ state: 'ready', restarts }), patience);
}

/** What the city has. Not what core knows of it: the uplink tells it only when core is there to listen. */
function takenByCity(data: string): number {
  const sum = 'SELECT coalesce(sum(seq), 0) AS taken FROM watermarks';
  return query<{ taken: number }>(join(data, 'city'), sum)[0]?.taken ?? 0;
}

async function drained(reader: Reader): Promise<Record<string, number>> {
  return vi.waitFor(() => {
    const state = reader.outboxState();
    for (const lane of lanes) expect(state[lane].watermark, `watermark of lane ${lane}`).toBe(state[lane].head);
    return Object.fromEntries(lanes.map((lane) => [lane, state[lane].head]));
  }, drainPatience);
}

/** Keeps the last word on each alarm. */
function listen(campus: RunningCampus, alarms: Map<string, Alarm>): AsyncDisposable {
  const mqtt = connect({
    host: '127.0.0.1',
    port: campus.site.mqtt.port,
    clientId: 'listener',
    username: 'listener',
    password: campus.passwords.listener ?? '',
    reconnectPeriod: 50,
    reconnectOnConnackError: true,
  });
  mqtt.on('error', () => {});
  mqtt.subscribe('v1/out/alarm/#', { qos: 1 });
  mqtt.on('message', (_topic, payload) => {
    if (payload.length === 0) return;
    const alarm: Alarm = JSON.parse(payload.toString());
    alarms.set(alarm.id, alarm);
  });
  return { [Symbol.asyncDispose]: () => mqtt.endAsync(true) };
}

/** Closes and opens the contact without end; leaves it open. */
function toggleContact(campus: RunningCampus): AsyncDisposable & { finish(): void } {
  const topic = samplesTopic(asDevice(contact));
  const mqtt = connect({
    host: '127.0.0.1',
    port: campus.site.mqtt.port,
    clientId: contact,
    username: contact,
    password: campus.passwords[contact] ?? '',
    reconnectPeriod: 50,
    reconnectOnConnackError: true,
  });
  mqtt.on('error', () => {});
  let on = false;
  const say = () => {
    if (mqtt.connected) mqtt.publish(topic, JSON.stringify({ alarm: on, fault: false }), { qos: 1 });
  };
  const timer = setInterval(() => {
    on = !on;
    say();
  }, 150);
  return {
    finish: () => {
      clearInterval(timer);
      on = false;
      say();
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await mqtt.endAsync(true);
    },
  };
}

/** A person at the screen: asks for the relay, acknowledges every alarm that comes up, and believes every answer. */
async function askAround(campus: RunningCampus, alarms: ReadonlyMap<string, Alarm>, signal: AbortSignal) {
  const asked: string[] = [];
  const accepted: string[] = [];
  const seenAlarms: string[] = [];
  for (let n = 1; !signal.aborted; n++) {
    const reason = `request ${n}`;
    asked.push(reason);
    const wish = { point: 'relay-1/relay_1', value: n % 2 === 0, seconds: 60, reason };
    const answer = await attempt(() => campus.post<{ accepted: boolean }>('requests', wish));
    if (answer?.accepted === true) accepted.push(reason);
    // The newest: of an older one the end may have been told while core, and so the listener's connection, was away.
    const unseen = [...alarms.values()].findLast(({ state }) => state === 'unacknowledged' || state === 'returned');
    if (unseen !== undefined) {
      const seen = await attempt(() => campus.post(`alarms/${unseen.id}/acknowledge`, { note: 'seen' }));
      if (seen !== null) seenAlarms.push(unseen.id);
    }
    await delay(80, signal);
  }
  return { asked, accepted, seenAlarms };
}

/** null: no answer, or not a good one; then nothing was promised. */
async function attempt<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await within(15_000, 'an answer of the web process', ask());
  } catch {
    return null;
  }
}

/** Same choices on every run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
