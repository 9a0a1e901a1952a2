import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { answerTopic, requestTopic } from '#edge/bus/topics.ts';
import type { DeviceId, PointRef, ZoneId } from '#edge/domain/ids.ts';
import { startBroadcast } from '#edge/processes/broadcast.ts';
import { startCameraProcess } from '#edge/processes/camera.ts';
import { newSecrets } from '#edge/processes/context.ts';
import { startCore } from '#edge/processes/core.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { connectRpc } from '#edge/runtime/rpc.ts';
import { loadSite, type Site } from '#edge/runtime/site.ts';
import { startCamera } from '#edge/simulators/camera.ts';
import { startSpeaker } from '#edge/simulators/speaker.ts';
import { openReader } from '#edge/store/reader.ts';
import { freePorts } from './free-ports.ts';
import { type GatehouseCore, gate, lin, playground, startGatehouse } from './gatehouse-core.ts';
import { placeRules } from './place-rules.ts';
import { type FakeDriver, temporaryData, until } from './safety-core.ts';

/* The one-key alarm: how fast it is, that nothing keeps it from sounding, and that only a person ends it. */

const clip = 'speaker-gate/clip';
const source = 'interlock:panic.gatehouse';
const wire = 'interlock:panic.gatehouse.wire';
const reset = (at: GatehouseCore, more: object = {}) =>
  at.rpc.call('emergency.reset', {
    id: 'gatehouse',
    outcome: 'handled',
    reason: 'a drunk man, led away',
    ...lin,
    ...more,
  }) as Promise<{
    reset: boolean;
    message: string;
  }>;

describe('from the contact of a camera', () => {
  test('to the first sound, the turning camera, the incident and the clip it takes less than a second, by the real protocols', {
    timeout: 120_000,
  }, async () => {
    using data = temporaryData();
    await using stack = new AsyncDisposableStack();
    const rig = await startRig(data.path, stack);
    const took: number[][] = [];
    for (let round = 0; round < 3; round++) {
      const movements = rig.camera.movements.length;
      rig.speaker.reset();
      const began = performance.now();
      rig.camera.input(1, true);
      const at: Record<string, number> = {};
      const mark = (what: string, isSo: boolean) => {
        if (isSo) at[what] ??= performance.now() - began;
      };
      await vi.waitFor(
        () => {
          const [incident] = rig.reader.incidents({ states: ['escalated'], limit: 1 });
          const clips = rig.reader.clips({ incident: incident?.id ?? 'none', limit: 9 });
          mark('sound', rig.speaker.heard().packets > 0);
          mark('preset', rig.camera.movements.length > movements);
          mark('incident', incident?.emergency === 'gatehouse' && incident.class === 'critical');
          mark(
            'clip',
            clips.some(({ why, isProtected }) => why === 'emergency' && isProtected),
          );
          mark(
            'alarm',
            rig.reader.alarms({ open: true, limit: 50 }).some((alarm) => alarm.source === source),
          );
          if (Object.keys(at).length < 5) throw new Error(`only ${Object.keys(at).join()}`);
        },
        { timeout: 20_000, interval: 10 },
      );
      took.push(['sound', 'preset', 'incident', 'clip', 'alarm'].map((what) => at[what] ?? Number.NaN));
      expect(rig.camera.movements.at(-1)).toMatchObject({ operation: 'GotoPreset', detail: '1' });
      rig.camera.input(1, false);
      await vi.waitFor(
        async () =>
          expect(
            await rig.rpc.call('emergency.reset', { id: 'gatehouse', outcome: 'test', reason: 'measured', ...lin }),
          ).toMatchObject({ reset: true }),
        { timeout: 20_000, interval: 50 },
      );
      await vi.waitFor(() => expect(rig.speaker.heard().silentSince).not.toBeNull(), { timeout: 20_000, interval: 50 });
    }
    // Of three: a machine that is busy with something else may be late once.
    const best = Math.min(...took.map((round) => Math.max(...round)));
    console.log(
      `one-key alarm, ms to sound, preset, incident, clip, alarm: ${took.map((round) => round.map((ms) => ms.toFixed(0)).join('/')).join('; ')}`,
    );
    expect(best).toBeLessThan(1_000);
  });
});

/** Core, the drivers of cameras and loudspeakers, and the devices themselves, on real sockets. */
async function startRig(data: string, stack: AsyncDisposableStack) {
  const demo = await loadSite(join(import.meta.dirname, '../../edge/simulators/demo-site.yaml'));
  const speaker = stack.use(await startSpeaker({ host: '127.0.0.1', port: 0, name: 'gate' }));
  const password = 'demo-camera-gate-5';
  const camera = stack.use(
    await startCamera({
      ...{ host: '127.0.0.1', port: 0, username: 'campus', password, clock: systemClock },
      ...{ auth: 'digest', model: 'IPC-PTZ', topicDialect: 'hikvision' },
    }),
  );
  const [port = 0] = await freePorts(1);
  const addresses: Readonly<Record<string, Site['devices'][number]['address']>> = {
    [gate]: { host: '127.0.0.1', port: camera.port, username: 'campus', password },
    'speaker-gate': { rtp: { host: '127.0.0.1', port: speaker.port }, codec: 'PCMU' },
  };
  const site: Site = {
    ...demo,
    mqtt: { hosts: ['127.0.0.1'], port, websocketPort: null, tls: null },
    rules: { folder: placeRules(demo, data, { onlyRules: {} }) },
    devices: demo.devices.flatMap(({ uplink: _, ...device }) => {
      const address = addresses[device.id];
      return address === undefined ? [] : [{ ...device, address }];
    }),
    clients: [],
    energy: undefined,
    network: { ...demo.network, uplink: undefined },
    panic: [
      {
        id: 'gatehouse',
        name: { zh: '值班室', en: 'Gatehouse' },
        zone: 'gate' as ZoneId,
        input: `${gate}/input_1` as PointRef,
        sound: { clip: 'evacuation', zones: 'all' },
        cameras: [{ device: gate, preset: '1' }],
      },
    ],
  };
  const init = { site, data, ...newSecrets() };
  const context = { clock: systemClock, log: silentLog, onProcesses: () => {} };
  stack.use(await startCore(init, context));
  stack.use(await startBroadcast(init, context));
  stack.use(await startCameraProcess(init, context));
  const rpc = stack.use(connectRpc(join(data, 'core.sock')));
  const reader = stack.use(openReader(data));
  await vi.waitFor(
    async () => {
      const { buttons } = (await rpc.call('emergency.list', {})) as { buttons: { state: string }[] };
      expect(buttons[0]?.state).toBe('ready');
      expect(reader.history(`${gate}/input_1`, 0, systemClock.now() + 1)?.samples.at(-1)).toMatchObject({
        value: false,
        quality: 'good',
      });
    },
    { timeout: 30_000, interval: 100 },
  );
  return { camera, speaker, rpc, reader };
}

describe('a pressed button', () => {
  test('sounds, turns the cameras, is a critical alarm and an escalated incident with its clips', async () => {
    using data = temporaryData();
    await using at = await startGatehouse({ data: data.path });
    const broadcast = await at.core.drive('broadcast');
    await at.line('normal');
    await at.line('alarm');
    await until(() => expect(broadcast.told('speaker-gate')).toContain('evacuation'));
    await until(() =>
      expect(at.core.alarms.get(source)).toMatchObject({ class: 'critical', active: true, zone: 'gate', camera: gate }),
    );
    await until(() => expect(presets(at.camera)).toEqual([[gate, 'preset-1', 1]]));
    expect(broadcast.told('speaker-teaching')).not.toContain('evacuation');
    const [incident] = at.reader.incidents({ states: ['escalated'], limit: 9 });
    expect(incident).toMatchObject({ class: 'critical', emergency: 'gatehouse', zone: 'gate', types: ['emergency'] });
    expect(incident?.devices).toEqual(expect.arrayContaining([gate, playground]));
    const clips = at.reader.clips({ incident: incident?.id ?? '', limit: 9 });
    expect(clips.map(({ camera, why, isProtected }) => [camera, why, isProtected]).sort()).toEqual([
      [gate, 'emergency', true],
      [playground, 'emergency', true],
    ]);
    expect(at.reader.newestEvents(1)[0]).toMatchObject({
      type: 'emergency',
      zone: 'gate',
      data: { panic: 'gatehouse' },
    });
    // Its own alarm is enough: the incident brings none besides, and a second press of the same button nothing new.
    expect([...at.core.alarms.keys()].filter((key) => key.startsWith('incident:'))).toEqual([]);
    await at.line('normal');
    await at.line('alarm');
    expect(at.reader.incidents({ states: ['escalated'], limit: 9 })).toHaveLength(1);
  }, 60_000);

  test('goes on over a restart, and is ended by a person with a name and a reason and by nothing else', async () => {
    using data = temporaryData();
    let id = '';
    {
      await using at = await startGatehouse({ data: data.path });
      const broadcast = await at.core.drive('broadcast');
      await at.line('alarm');
      await until(() => expect(broadcast.told('speaker-gate')).toContain('evacuation'));
      id = at.reader.incidents({ limit: 1 })[0]?.id ?? '';
    }
    await using at = await startGatehouse({ data: data.path });
    const broadcast = await at.core.drive('broadcast');
    await until(() => expect(broadcast.told('speaker-gate')).toContain('evacuation'));
    expect(at.reader.incidents({ states: ['escalated'], limit: 9 }).map((one) => one.id)).toEqual([id]);
    // Still pressed.
    await at.line('alarm');
    expect(await reset(at)).toMatchObject({ reset: false, message: expect.stringContaining('still stands') });
    await at.line('normal');
    await until(() => expect(at.core.readings.get('loop-gate/line')).toMatchObject({ value: 'normal' }));
    expect(broadcast.told('speaker-gate')).not.toContain('');
    const person = { who: 'token:local' };
    await expect(reset(at, person)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(reset(at, { reason: '' })).rejects.toMatchObject({ code: 'RPC_PARAMS' });
    await expect(reset(at, { name: '' })).rejects.toMatchObject({ code: 'RPC_PARAMS' });
    await expect(reset(at, { id: 'none' })).rejects.toMatchObject({ code: 'PANIC_NOT_FOUND' });
    const ask = { id: 'panic.gatehouse', reason: 'quiet', who: 'person:lin', from: '' };
    await expect(at.rpc.call('interlock.reset', ask)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(at.rpc.call('incident.resolve', { id, outcome: 'handled', note: '', ...lin })).rejects.toMatchObject({
      code: 'INCIDENT_REFUSED',
      message: expect.stringContaining('one-key alarm'),
    });
    expect(at.core.outputs.get(clip)).toMatchObject({ value: 'evacuation', holder: source });
    expect(await reset(at)).toMatchObject({ reset: true });
    await until(() => expect(broadcast.told('speaker-gate').at(-1)).toBe(''));
    await until(() =>
      expect(at.core.alarms.get(source)).toMatchObject({ state: 'normal', acknowledged: { by: 'lin' } }),
    );
    expect(at.reader.incident(id)).toMatchObject({
      state: 'resolved',
      outcome: 'handled',
      note: 'a drunk man, led away',
    });
    const [line] = at.reader.newestAudit(50).filter(({ what }) => what === 'emergency.reset gatehouse');
    expect(line).toMatchObject({ who: 'person:lin', from: '192.0.2.7', why: 'a drunk man, led away' });
    expect(await at.rpc.call('emergency.list', {})).toMatchObject({
      buttons: [{ id: 'gatehouse', state: 'ready', incident: null }],
    });
  }, 60_000);
});

function presets(camera: FakeDriver) {
  return camera.commands.flatMap(({ device, point, value, priority }) =>
    point === 'ptz_preset' ? [[device, value, priority]] : [],
  );
}

describe('nothing suppresses it', () => {
  test('no rule, mode, shelf, shadow, flow, person or demand controller', async () => {
    using data = temporaryData();
    const quiet = {
      rule: 1,
      name: { zh: '静音', en: 'Quiet' },
      about: { zh: '试', en: 'a try' },
      kind: 'safety',
      priority: 1,
      when: { kind: 'point', points: 'fire-panel/fault', test: { is: true }, onBad: 'hold' },
      latch: true,
    };
    const alarm = {
      kind: 'alarm',
      class: 'low',
      message: { zh: '静音', en: 'Quiet' },
      next: { zh: '看', en: 'look' },
    };
    await using at = await startGatehouse({
      data: data.path,
      rules: {
        quiet: { ...quiet, id: 'quiet', then: [{ kind: 'hold', outputs: clip, value: '' }, alarm] },
        forbidden: { ...quiet, id: 'forbidden', then: [{ kind: 'forbid', outputs: clip, value: 'evacuation' }, alarm] },
      },
    });
    const broadcast = await at.core.drive('broadcast');
    const flows = await at.core.join('flows');
    await flows.subscribeAsync(answerTopic('flows'), { qos: 1 });
    const panel = await at.core.join('fire-panel');
    await at.line('normal');
    // Safety rules that hold silence and forbid the clip, at the same priority.
    await panel.publishAsync('v1/in/fire-panel/samples', JSON.stringify({ alarm: false, fault: true }), { qos: 1 });
    await until(() => expect(at.core.outputs.get(clip)).toMatchObject({ value: '', holder: 'interlock:quiet' }));
    for (const mode of ['exam', 'drill', 'holiday', 'event', 'lockdown'])
      await at.rpc.call('mode.set', { id: mode, on: true, until: null, why: 'a try', who: 'person:lin', from: '' });
    const silence = {
      ref: clip,
      value: '',
      priority: 8,
      seconds: 3_600,
      reason: 'quiet please',
      who: 'person:lin',
      from: '',
    };
    await at.rpc.call('request', silence);
    await flows.publishAsync(
      requestTopic('flows'),
      JSON.stringify({ point: clip, value: '', priority: 12, seconds: 60, reason: 'quiet', origin: 'flow:tab/node' }),
      { qos: 1 },
    );
    // Nobody can write a rule in its place, watch it, or turn it off.
    const body = { ...quiet, id: 'panic.gatehouse', then: [alarm] };
    const save = { id: 'panic.gatehouse', body, base: 0, why: 'x', origin: 'person', who: 'person:lin', from: '' };
    await expect(at.rpc.call('rule.save', save)).rejects.toThrow();
    for (const method of ['rule.shadow', 'rule.activate', 'rule.remove']) {
      const params = {
        id: 'panic.gatehouse',
        ...(method === 'rule.remove' ? {} : { version: null }),
        why: 'x',
        who: 'person:lin',
        from: '',
      };
      await expect(at.rpc.call(method, params), method).rejects.toThrow();
    }

    await at.line('alarm');
    await until(() => expect(broadcast.told('speaker-gate').at(-1)).toBe('evacuation'));
    await until(() => expect(at.core.alarms.get(source)).toMatchObject({ state: 'unacknowledged', active: true }));
    const { id = '' } = at.core.alarms.get(source) ?? {};
    const shelf = { id, minutes: 5, reason: 'quiet', who: 'person:lin', from: '' };
    await expect(at.rpc.call('alarm.shelve', shelf)).rejects.toMatchObject({ code: 'ALARM_NOT_SHELVABLE' });
    // The same again while it sounds, newer than it.
    await panel.publishAsync('v1/in/fire-panel/samples', JSON.stringify({ alarm: false, fault: false }), { qos: 1 });
    await at.rpc.call('interlock.reset', { id: 'quiet', reason: 'a try', who: 'person:lin', from: '' });
    await at.rpc.call('interlock.reset', { id: 'forbidden', reason: 'a try', who: 'person:lin', from: '' });
    await panel.publishAsync('v1/in/fire-panel/samples', JSON.stringify({ alarm: false, fault: true }), { qos: 1 });
    await until(() => expect(at.core.outputs.get(clip)?.stack.map(({ owner }) => owner)).toContain('interlock:quiet'));
    await at.rpc.call('request', silence);
    await at.rpc.call('alarm.acknowledge', { id, note: 'heard', who: 'person:lin', from: '' });
    await until(() => expect(at.core.alarms.get(source)).toMatchObject({ state: 'acknowledged', active: true }));
    expect(at.core.outputs.get(clip)).toMatchObject({ value: 'evacuation', holder: source });
    expect(broadcast.told('speaker-gate').at(-1)).toBe('evacuation');
  }, 60_000);

  test('the power of its loudspeakers is held on, whatever a limit of demand or a rule wants', async () => {
    using data = temporaryData();
    await using at = await startGatehouse({
      data: data.path,
      change: (site) => ({
        ...site,
        devices: site.devices.map((device) =>
          device.id === 'speaker-gate' ? { ...device, power: 'relay-1/relay_7' as PointRef } : device,
        ),
      }),
    });
    const fieldbus = await at.core.drive('fieldbus');
    await at.core.drive('broadcast');
    const off = {
      ref: 'relay-1/relay_7',
      value: false,
      priority: 8,
      seconds: 600,
      reason: 'save',
      who: 'person:lin',
      from: '',
    };
    await at.rpc.call('request', off);
    await until(() => expect(at.core.outputs.get('relay-1/relay_7')).toMatchObject({ value: false }));
    await at.line('alarm');
    await until(() => expect(at.core.outputs.get('relay-1/relay_7')).toMatchObject({ value: true, holder: source }));
    expect(fieldbus.commands.at(-1)).toMatchObject({ device: 'relay-1' as DeviceId, value: true, priority: 1 });
  }, 60_000);
});

describe('its line', () => {
  test.each(['open', 'short'])(
    'that is %s is an alarm, and no sound',
    async (word) => {
      using data = temporaryData();
      await using at = await startGatehouse({ data: data.path });
      const broadcast = await at.core.drive('broadcast');
      await at.line('normal');
      await at.line(word);
      await until(() => expect(at.core.alarms.get(wire)).toMatchObject({ class: 'high', active: true, zone: 'gate' }));
      expect(await at.rpc.call('emergency.list', {})).toMatchObject({ buttons: [{ state: 'faulty' }] });
      expect(broadcast.told('speaker-gate')).not.toContain('evacuation');
      expect(at.reader.incidents({ limit: 9 })).toEqual([]);
      await at.line('normal');
      await until(() => expect(at.core.alarms.get(wire)).toMatchObject({ active: false }));
      // It works again.
      await at.line('alarm');
      await until(() => expect(broadcast.told('speaker-gate')).toContain('evacuation'));
    },
    60_000,
  );

  test('that is silent or says nothing usable is an alarm within seconds, and none while it is only being started', async () => {
    using data = temporaryData();
    await using at = await startGatehouse({ data: data.path });
    await at.line('normal');
    await until(() => expect(at.core.readings.get('loop-gate/line')).toMatchObject({ quality: 'good' }));
    expect(at.core.alarms.get(wire)).toBeUndefined();
    await at.loop.publishAsync(
      'v1/in/loop-gate/samples',
      JSON.stringify({ s: [['line', null, 'bad', 'device-failure']] }),
      { qos: 1 },
    );
    await until(() => expect(at.core.alarms.get(wire)).toMatchObject({ class: 'high', active: true }));
  }, 60_000);
});
