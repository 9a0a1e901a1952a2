import { describe, expect, test } from 'vitest';
import type { Device } from '#edge/domain/device.ts';
import type { DeviceHealth, ProcessHealth, ProcessStatus } from '#edge/domain/health.ts';
import { createListener } from '#edge/processes/core/sensors.ts';
import { Watch, type WatchOptions } from '#edge/processes/core/watch.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { bench, devices, driverDevice } from '../ingest/harness.ts';

const minute = 60_000;

const speaker: Device = { ...driverDevice('speaker-1', [{}]), protocol: 'broadcast' };
const meters = ['meter-1', 'meter-2'].map((id) => driverDevice(id, [{}]));

function watchOf(more: Partial<WatchOptions> = {}) {
  const clock = new ManualClock(Date.UTC(2026, 10, 20));
  const all = [...meters, speaker];
  const processOf = (id: string) =>
    id.startsWith('meter') ? 'fieldbus' : id === 'speaker-1' ? 'broadcast' : undefined;
  const watch = new Watch({
    campus: {
      devices: all,
      processOf,
      devicesOfProcess: (process) => all.filter(({ id }) => processOf(id) === process),
    },
    places: all,
    unusable: [],
    alarmed: [],
    clock,
    ...more,
  });
  /** Time passes; what was decided, as `raise device:x`. */
  const pass = (ms: number) => {
    const said: string[] = [];
    for (let left = ms; left > 0; left -= 1_000) {
      clock.advance(1_000);
      said.push(...watch.tick().map(({ kind, source }) => `${kind} ${source}`));
    }
    return [...new Set(said)];
  };
  const device = (id: string, state: DeviceHealth['state'], message = 'as it is'): DeviceHealth => ({
    device: id,
    state,
    message,
    since: clock.now(),
    counters: {},
  });
  const hear = (process: string, state: ProcessHealth['state'], list: DeviceHealth[] = [], instance = 'one') =>
    watch.hear(process, { process, state, time: clock.now(), instance, devices: list });
  const allReady = () => {
    hear('fieldbus', 'ready', [device('meter-1', 'online'), device('meter-2', 'online')]);
    hear('broadcast', 'ready', [device('speaker-1', 'online')]);
  };
  return { clock, watch, pass, device, hear, allReady };
}

function status(name: string, state: ProcessStatus['state']): ProcessStatus {
  return { name, state, pid: 1, restarts: 0, since: 0, lastExit: 'exit 1', rss: null, loopDelay: null };
}

describe('a device', () => {
  test('that stays away is told once, and again when it returns', () => {
    const { pass, hear, device, allReady } = watchOf();
    allReady();
    hear('fieldbus', 'ready', [device('meter-1', 'offline')]);
    expect(pass(15_000)).toEqual([]);
    expect(pass(10_000)).toEqual(['raise device:meter-1']);
    expect(pass(minute)).toEqual([]);
    expect(hear('fieldbus', 'ready', [device('meter-1', 'degraded')]).cameBack).toEqual(['meter-1']);
    expect(pass(2_000)).toEqual(['return device:meter-1']);
  });

  test('that goes from one fault to the next does not begin its time anew each time', () => {
    const { pass, hear, device, allReady } = watchOf();
    allReady();
    const told: string[] = [];
    for (let i = 0; i < 5; i++) {
      hear('fieldbus', 'ready', [device('meter-1', i % 2 === 0 ? 'offline' : 'starting')]);
      told.push(...pass(9_000));
    }
    expect(told).toContain('raise device:meter-1');
  });

  test('that was alarmed before a restart and works now has its alarm returned; one that is still away keeps it', () => {
    const { pass, hear, device } = watchOf({ alarmed: ['device:meter-1', 'device:meter-2'] });
    hear('broadcast', 'ready', [device('speaker-1', 'online')]);
    hear('fieldbus', 'ready', [device('meter-1', 'online'), device('meter-2', 'offline')]);
    expect(pass(5_000)).toEqual(['return device:meter-1']);
  });

  test('whose profile is broken is one clear alarm', () => {
    const message = 'profile meter/none: there is no such profile';
    const { pass, watch, allReady, clock } = watchOf({ unusable: [{ device: 'meter-9', message }] });
    allReady();
    clock.advance(25_000);
    expect(watch.tick()).toMatchObject([
      {
        kind: 'raise',
        source: 'device:meter-9',
        message: { en: 'meter-9 cannot be used as it is configured' },
        reason: message,
      },
    ]);
    expect(pass(minute)).toEqual([]);
  });

  test('is believed from its own process only, whoever else speaks of it', () => {
    const { pass, hear, device, watch, clock, allReady } = watchOf();
    allReady();
    hear('fieldbus', 'ready', [device('speaker-1', 'offline')]);
    const forged = { process: 'broadcast', state: 'stopped', time: clock.now(), instance: 'one', devices: [] } as const;
    expect(watch.hear('flows', forged)).toEqual({ restarted: false, left: false, cameBack: [] });
    expect(watch.hear('fieldbus', forged).left).toBe(false);
    expect(pass(minute)).toEqual([]);
  });

  test('two hundred speakers without a clip are one alarm', () => {
    const { pass, hear, device, allReady } = watchOf();
    allReady();
    hear('broadcast', 'ready', [device('speaker-1', 'degraded', 'cannot play clip "evacuation"')]);
    expect(pass(30_000)).toEqual(['raise voice:broadcast']);
    hear('broadcast', 'ready', [device('speaker-1', 'online')]);
    expect(pass(2_000)).toEqual(['return voice:broadcast']);
  });
});

describe('a process', () => {
  test('that leaves the broker is gone at once, and an alarm where no supervisor says more', () => {
    const { hear, pass, allReady } = watchOf();
    allReady();
    expect(hear('broadcast', 'stopped').left).toBe(true);
    expect(pass(5_000)).toEqual([]);
    expect(pass(6_000)).toEqual(['raise process:broadcast']);
    expect(hear('broadcast', 'ready', [], 'one')).toMatchObject({ restarted: true });
    expect(pass(2_000)).toEqual(['return process:broadcast']);
  });

  test('whose last will comes after its successor is not gone', () => {
    const { hear, allReady, pass } = watchOf();
    allReady();
    hear('broadcast', 'ready', [], 'two');
    expect(hear('broadcast', 'stopped', [], 'one').left).toBe(false);
    expect(pass(minute)).toEqual([]);
  });

  test('that never came is an alarm, if it should drive something', () => {
    const { hear, device, pass } = watchOf();
    hear('fieldbus', 'ready', [device('meter-1', 'online'), device('meter-2', 'online')]);
    expect(pass(2 * minute)).toEqual(['raise process:broadcast']);
  });

  test('is gone once, critical in a crash loop, and returns when it is ready and on the broker', () => {
    const { watch, hear, pass, allReady } = watchOf();
    allReady();
    const first = watch.hearProcesses([status('fieldbus', 'backing-off')]);
    expect(first).toMatchObject({ gone: ['fieldbus'], decisions: [{ kind: 'raise', class: 'high' }] });
    hear('fieldbus', 'stopped');
    const looped = watch.hearProcesses([status('fieldbus', 'crash-loop')]);
    expect(looped).toMatchObject({ gone: [], decisions: [{ kind: 'raise', class: 'critical' }] });
    expect(watch.hearProcesses([status('fieldbus', 'starting')]).decisions).toHaveLength(1);
    expect(watch.hearProcesses([status('fieldbus', 'ready')]).decisions).toEqual([]);
    hear('fieldbus', 'ready', [], 'two');
    expect(pass(2_000)).toEqual(['return process:fieldbus']);
  });
});

describe('a sensor', () => {
  function listen(list: Device[]) {
    const b = bench(list);
    const said: string[] = [];
    const look = createListener({
      campus: { devices: list },
      ingest: b.ingest,
      watch: {
        hearSensor: (id, isSilent, message) => void said.push(`${id} ${isSilent ? `silent: ${message}` : 'heard'}`),
        hearBridge: (bridge, sensors, verdict) => void said.push(`${bridge} of ${sensors} ${verdict}`),
      },
      clock: b.clock,
    });
    const wait = (ms: number) => {
      b.wait(ms);
      said.length = 0;
      look();
      return said.at(-1);
    };
    look();
    return { ...b, said, pass: wait, all: () => [...said] };
  }
  const climate = () =>
    devices({ id: 'climate', profile: 'sensor/zigbee-climate', address: { zigbee2mqtt: 'climate' } });

  test('that was never heard is silent after two of its own periods, not before', () => {
    const { pass } = listen(climate());
    expect(pass(minute)).toBeUndefined();
    expect(pass(600 * minute)).toBe(
      'climate silent: it has never been heard under the address that the site file gives',
    );
  });

  test('that spoke is heard, then silent, and a restart alone does not make it heard', () => {
    const { pass, send, ingest } = listen(climate());
    send('zigbee2mqtt/climate', { temperature: 21.5, humidity: 40, battery: 90 });
    expect(pass(1_000)).toBe('climate heard');
    const again = listen(climate());
    again.ingest.restore(ingest.latest().values());
    expect(again.pass(1_000)).toBeUndefined();
    expect(pass(7 * 24 * 60 * minute)).toBe('climate silent: nothing was heard from it for too long');
  });

  test('whose bridge says that it is gone is silent, whatever its switch for being online says', () => {
    const list = devices({ id: 'plug', profile: 'sensor/tasmota-plug', address: { tasmota: 'plug' } });
    const { pass, send } = listen(list);
    send('tele/plug/LWT', 'Online');
    send('tele/plug/SENSOR', { ENERGY: { Power: 5 } });
    expect(pass(1_000)).toBe('plug heard');
    send('tele/plug/LWT', 'Offline');
    expect(pass(1_000)).toBe('plug silent: nothing was heard from it for too long');
  });

  test('that takes back what it announced, or never announces anything, is silent after a while', () => {
    const list = devices({ id: 'air', profile: 'sensor/discovered', address: { homeassistant: 'esp-1' } });
    const { pass, send } = listen(list);
    const config = { unique_id: 'esp-1_t', state_topic: 'esp-1/t', device: { identifiers: ['esp-1'], name: 'air' } };
    send('homeassistant/sensor/esp-1/t/config', { ...config, name: 't', unit_of_measurement: '°C' });
    send('esp-1/t', '21.5');
    expect(pass(1_000)).toBe('air heard');
    send('homeassistant/sensor/esp-1/t/config', '');
    expect(pass(minute)).toBeUndefined();
    expect(pass(11 * minute)).toBe('air silent: it has announced nothing, or has taken back what it had announced');
  });

  test('is not named when its whole bridge is gone: the bridge is', () => {
    const ids = ['smoke-1', 'smoke-2', 'smoke-3'];
    const list = devices(...ids.map((id) => ({ id, profile: 'sensor/zigbee-smoke', address: { zigbee2mqtt: id } })));
    const { pass, send, all } = listen(list);
    for (const id of ids) send(`zigbee2mqtt/${id}`, { smoke: false });
    pass(1_000);
    expect(all()).toContain('zigbee2mqtt of 3 heard');
    send('zigbee2mqtt/bridge/state', { state: 'offline' });
    pass(1_000);
    expect(all()).toEqual(['zigbee2mqtt of 3 silent']);
    for (const id of ids) send(`zigbee2mqtt/${id}`, { smoke: true });
    pass(1_000);
    expect(all()).toContain('zigbee2mqtt of 3 heard');
  });
});

describe('a bridge', () => {
  test('is an alarm when nobody behind it is heard, also across a restart, until somebody is', () => {
    const { watch, pass, allReady } = watchOf();
    allReady();
    watch.hearBridge('zigbee2mqtt', 9, 'silent');
    expect(pass(10_000)).toEqual([]);
    expect(pass(15_000)).toEqual(['raise bridge:zigbee2mqtt']);
    const next = watchOf({ alarmed: ['bridge:zigbee2mqtt'] });
    next.allReady();
    next.watch.hearBridge('zigbee2mqtt', 9, null);
    expect(next.pass(5_000)).toEqual([]);
    next.watch.hearBridge('zigbee2mqtt', 9, 'heard');
    expect(next.pass(5_000)).toEqual(['return bridge:zigbee2mqtt']);
  });
});
