import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { systemClock } from '#edge/runtime/clock.ts';
import type { RuleBody } from '#edge/runtime/rule-body.ts';
import type { Site } from '#edge/runtime/site.ts';
import { openReader, type Reader } from '#edge/store/reader.ts';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { occupy, pressRelay, sayOnce } from './bystander.ts';
import { asDevice } from './qos1-sensor.ts';

/*
 * What happens when each process dies: the table of the architecture, on one campus, in one evacuation. The tests build
 * on each other: the siren that starts in the second one sounds to the end.
 */

const soon = { timeout: 20_000, interval: 50 };
const contact = 'contact-1';
const relayUnit = 10;
let campus: RunningCampus;
let reader: Reader;

/** A rule that lets go by itself. */
const closes: RuleBody = {
  rule: 1,
  id: 'contact',
  name: { zh: '触点', en: 'Contact' },
  kind: 'safety',
  priority: 5,
  when: { kind: 'point', points: `${contact}/alarm`, test: { is: true }, onBad: 'hold' },
  then: [
    { kind: 'hold', outputs: 'relay-1/relay_6', value: false },
    {
      kind: 'alarm',
      class: 'high',
      message: { zh: '触点动作', en: 'The contact has closed' },
      next: { zh: '查看现场', en: 'Look at the place' },
    },
  ],
};

/** One more sensor, which only speaks when a test does. */
function withContact(site: Site): Site {
  const panel = site.devices.find(({ id }) => id === 'fire-panel');
  if (panel === undefined) throw new Error('the demo site has changed');
  const device = asDevice(contact);
  return {
    ...site,
    flows: { ...site.flows, enabled: false },
    devices: [...site.devices.filter(({ profile }) => !profile.startsWith('camera/')), { ...panel, id: device }],
    clients: [...site.clients, { id: contact, publish: [], subscribe: [], devices: [device], requests: [] }],
  };
}

beforeAll(async () => {
  campus = await startCampus({
    only: ['fieldbus', 'broadcast', 'web', 'uplink'],
    times: { silence: 4_000 },
    change: withContact,
    rules: { contact: closes },
  });
  reader = openReader(campus.data);
  await vi.waitFor(
    async () => {
      const now = await points();
      for (const id of ['meter-main/voltage_l1', 'meter-dorm/power', 'relay-1/relay_2', 'fire-panel/alarm'])
        expect(now.get(id)?.quality, id).toBe('good');
    },
    { timeout: 40_000, interval: 200 },
  );
}, 60_000);

afterAll(async () => {
  reader?.[Symbol.dispose]();
  await campus?.[Symbol.asyncDispose]();
});

interface PointView {
  readonly id: string;
  readonly value: unknown;
  readonly quality: string;
}

interface VirtualCampus {
  readonly relays: readonly boolean[];
  readonly speakers: readonly {
    readonly name: string;
    readonly streams: number;
    readonly packets: number;
    readonly silentSince: number | null;
  }[];
}

async function points(): Promise<Map<string, PointView>> {
  return new Map((await campus.get<PointView[]>('points')).map((point) => [point.id, point]));
}

async function outside(): Promise<VirtualCampus> {
  return (await fetch(`${campus.controlUrl}/state`, { signal: AbortSignal.timeout(5_000) })).json() as never;
}

async function expectSiren(): Promise<VirtualCampus['speakers']> {
  return vi.waitFor(async () => {
    const { speakers } = await outside();
    // A speaker that never heard anything has no silence to count from.
    for (const { name, packets, silentSince } of speakers)
      expect([name, packets > 0, silentSince]).toEqual([name, true, null]);
    return speakers;
  }, soon);
}

const streams = (speakers: VirtualCampus['speakers']) => speakers.map((speaker) => speaker.streams);

async function back(name: string, restarts: number): Promise<void> {
  await vi.waitFor(() => expect(campus.status(name)).toMatchObject({ state: 'ready', restarts }), soon);
}

function occurrences(source: string) {
  return reader.alarms({ limit: 1_000 }).filter((alarm) => alarm.source === source);
}

/** Somebody switches a channel at the cabinet; channels count from 1. */
async function pressChannel(channel: number, on: boolean): Promise<void> {
  const relay = campus.site.devices.find(({ id }) => id === 'relay-1')?.address.tcp as { host: string; port: number };
  await pressRelay(relay.host, relay.port, relayUnit, channel - 1, on);
}

async function expectChannel(channel: number, on: boolean): Promise<void> {
  await vi.waitFor(async () => expect((await outside()).relays[channel - 1], `channel ${channel}`).toBe(on), soon);
}

function badSince(ref: string, from: number) {
  const samples = reader.history(ref, from, systemClock.now() + 60_000)?.samples ?? [];
  return samples.find(({ quality, reason }) => quality === 'bad' && reason === 'no-communication');
}

describe('when the fieldbus process dies', () => {
  test('its points turn bad at once, one alarm says so, and what people asked for is asserted again', async () => {
    const wish = { point: 'relay-1/relay_2', value: false, seconds: 600, reason: 'lamp is being changed' };
    expect(await campus.post('requests', wish)).toMatchObject({ accepted: true });
    await expectChannel(2, false);

    const killed = systemClock.now();
    process.kill(campus.pid('fieldbus'), 'SIGKILL');
    await pressChannel(2, true);
    await back('fieldbus', 1);
    await expectChannel(2, false);

    for (const ref of ['meter-main/voltage_l1', 'meter-dorm/power', 'relay-1/relay_2']) {
      const bad = await vi.waitFor(() => {
        const found = badSince(ref, killed);
        expect(found, ref).toBeDefined();
        return found;
      }, soon);
      expect((bad?.receivedTime ?? 0) - killed, `${ref}: ms until it was bad`).toBeLessThan(5_000);
    }
    await vi.waitFor(async () => {
      const now = await points();
      for (const id of ['meter-main/voltage_l1', 'meter-dorm/power', 'relay-1/relay_2'])
        expect(now.get(id)?.quality, id).toBe('good');
    }, soon);
    await vi.waitFor(() => expect(occurrences('process:fieldbus')).toMatchObject([{ active: false, count: 1 }]), soon);
    const shown = reader.alarms({ limit: 1_000 }).filter((alarm) => alarm.suppressedBy === undefined);
    expect(
      shown
        .map(({ source }) => source)
        .filter((source) => /^(device:(meter|relay)|output:|blind:overload)/.test(source)),
    ).toEqual([]);
  });

  test('a blocked loop is found by its silence, and ended', async () => {
    const stopped = systemClock.now();
    process.kill(campus.pid('fieldbus'), 'SIGSTOP');
    await back('fieldbus', 2);
    expect(campus.status('fieldbus').lastExit).toBe('silent for 4 s');
    await vi.waitFor(() => expect(badSince('meter-main/voltage_l1', stopped)).toBeDefined(), soon);
    await vi.waitFor(async () => expect((await points()).get('meter-main/voltage_l1')?.quality).toBe('good'), soon);
  });
});

describe('during an evacuation', () => {
  test('the siren sounds again by itself after the broadcast process died', async () => {
    await campus.turn('fire-panel', 'on');
    const before = await expectSiren();
    process.kill(campus.pid('broadcast'), 'SIGKILL');
    await vi.waitFor(async () => {
      const { speakers } = await outside();
      speakers.forEach((speaker, i) => {
        expect(speaker.streams, speaker.name).toBe((before[i]?.streams ?? 0) + 1);
      });
    }, soon);
    await expectSiren();
    expect(campus.status('broadcast').restarts).toBe(1);
    await vi.waitFor(() => expect(occurrences('process:broadcast')).toMatchObject([{ active: false }]), soon);
  });

  test('neither siren nor rules notice that the web process died', async () => {
    const before = await expectSiren();
    process.kill(campus.pid('web'), 'SIGKILL');
    await campus.turn('smoke-201', 'on');
    await vi.waitFor(() => expect(occurrences('interlock:smoke')).toMatchObject([{ active: true }]), soon);
    await back('web', 1);
    await vi.waitFor(async () => {
      const open = await campus.get<{ source: string }[]>('alarms?open=true');
      expect(open.map(({ source }) => source)).toEqual(expect.arrayContaining(['interlock:smoke', 'interlock:fire']));
    }, soon);
    expect(streams(await expectSiren())).toEqual(streams(before));
  });

  test('the outbox grows while the uplink is gone, and drains when it is back', async () => {
    process.kill(campus.pid('uplink'), 'SIGSTOP');
    const { watermark } = reader.outboxState().event;
    const head = reader.outboxState().event.head;
    for (let press = 1; press <= 3; press++) {
      await campus.turn('button', 'on');
      await vi.waitFor(() => expect(reader.outboxState().event.head).toBeGreaterThanOrEqual(head + press), soon);
    }
    expect(reader.outboxState().event.watermark).toBe(watermark);
    process.kill(campus.pid('uplink'), 'SIGKILL');
    await vi.waitFor(() => {
      const { event, alarm } = reader.outboxState();
      expect(event.watermark).toBeGreaterThanOrEqual(head + 3);
      expect(event.watermark).toBe(event.head);
      expect(alarm.watermark).toBe(alarm.head);
    }, soon);
    await back('uplink', 1);
  });

  test('core may be away: people can look, nobody changes, the siren plays on, and nothing is cleared on its return', async () => {
    await sayOnce(campus, contact, { alarm: true, fault: false });
    await expectChannel(6, false);
    await vi.waitFor(() => expect(occurrences('interlock:contact')).toMatchObject([{ active: true }]), soon);
    const [raised] = occurrences('interlock:contact');
    const before = await expectSiren();
    const { host, port } = { host: campus.site.mqtt.hosts[0] ?? '', port: campus.site.mqtt.port };
    const killed = systemClock.now();
    {
      process.kill(campus.pid('core'), 'SIGKILL');
      await using _nobodyElse = await occupy(host, port);
      await vi.waitFor(async () => {
        const wish = { point: 'relay-1/relay_2', value: true, seconds: 60, reason: 'nobody is there to do it' };
        await expect(campus.post('requests', wish)).rejects.toMatchObject({
          status: 503,
          message: expect.stringContaining('rpc-away'),
        });
      }, soon);
      const span = `from=${killed - 600_000}&to=${killed}`;
      const history = await campus.get<{ samples: unknown[] }>(`points/meter-main/voltage_l1/history?${span}`);
      expect(history.samples.length).toBeGreaterThan(0);
      await vi.waitFor(async () => {
        const all = [...(await points()).values()];
        expect(all.filter(({ quality }) => quality === 'good').map(({ id }) => id)).toEqual([]);
      }, soon);
      expect((await fetch(`${campus.url}/healthz`)).status).toBe(503);
      await pressChannel(5, true);
      await pressChannel(6, true);
      expect(streams(await expectSiren())).toEqual(streams(before));
    }
    await vi.waitFor(() => expect(campus.status('core').state).toBe('ready'), soon);
    // Held again: by the evacuation, and by the interlock whose sensor has said nothing since.
    await expectChannel(5, false);
    await expectChannel(6, false);
    await vi.waitFor(async () => expect((await points()).get('meter-main/voltage_l1')?.quality).toBe('good'), soon);
    expect((await points()).get(`${contact}/alarm`)).toMatchObject({ value: true, quality: 'uncertain' });
    expect(occurrences('interlock:contact')).toEqual([raised]);
    expect(occurrences('interlock:fire')).toMatchObject([{ active: true }]);
    expect(streams(await expectSiren())).toEqual(streams(before));

    await sayOnce(campus, contact, { alarm: false, fault: false });
    await vi.waitFor(() => expect(occurrences('interlock:contact')).toMatchObject([{ active: false }]), soon);
  }, 60_000);
});
