import { describe, expect, test } from 'vitest';
import type { Bench } from '../unit/ingest/harness.ts';
import { bench, brief, devices, start } from '../unit/ingest/harness.ts';

/*
 * Every convention by the payloads its real speakers send: the examples of the projects' own documentation, and what
 * broke others in the field.
 */

const site = devices(
  { id: 'smoke-101', profile: 'sensor/zigbee-smoke', address: { zigbee2mqtt: 'smoke-101' } },
  { id: 'climate-101', profile: 'sensor/zigbee-climate', address: { zigbee2mqtt: 'teaching/1F/climate 101' } },
  { id: 'door-gate', profile: 'sensor/zigbee-contact', address: { zigbee2mqtt: 'door-gate' } },
  {
    id: 'leak-kitchen',
    profile: 'sensor/zigbee-water-leak',
    address: { zigbee2mqtt: 'leak-kitchen', base: 'z2m/canteen' },
  },
  { id: 'button-1', profile: 'sensor/zigbee-button', address: { zigbee2mqtt: 'button-1' } },
  { id: 'plug-1', profile: 'sensor/tasmota-plug', address: { tasmota: 'plug-1' } },
  { id: 'plug-2', profile: 'sensor/tasmota-plug', address: { tasmota: 'hall/plug-2' } },
  { id: 'esp', profile: 'sensor/discovered', address: { homeassistant: 'esp-air-301' } },
  { id: 'air', profile: 'sensor/json-air', address: { json: true } },
);

describe('Zigbee2MQTT', () => {
  test('states of the documentation', () => {
    const { send } = bench(site);
    expect(
      brief(send('zigbee2mqtt/teaching/1F/climate 101', { temperature: 27.34, humidity: 44.72 }).readings),
    ).toEqual(['climate-101/temperature 27.34 good', 'climate-101/humidity 44.72 good']);
    expect(brief(send('zigbee2mqtt/door-gate', { contact: true, linkquality: 128 }).readings)).toEqual([
      'door-gate/contact true good',
      'door-gate/linkquality 128 good',
    ]);
    expect(
      brief(
        send('z2m/canteen/leak-kitchen', { battery: 100, voltage: 3045, linkquality: 99, water_leak: false }).readings,
      ),
    ).toEqual([
      'leak-kitchen/water_leak false good',
      'leak-kitchen/battery 100 good',
      'leak-kitchen/voltage 3045 good',
      'leak-kitchen/linkquality 99 good',
    ]);
    expect(brief(send('zigbee2mqtt/smoke-101', { smoke: false, tamper: false, battery_low: false }).readings)).toEqual([
      'smoke-101/smoke false good',
      'smoke-101/tamper false good',
      'smoke-101/battery_low false good',
    ]);
    expect(send('zigbee2mqtt/teaching/1F/climate 101', { co2: 812 }).readings[0]).toMatchObject({
      ref: 'climate-101/co2',
      value: 812,
      unit: '[ppm]',
    });
  });

  test('null is "not known yet" and says nothing', () => {
    const { send } = bench(site);
    expect(send('zigbee2mqtt/smoke-101', { smoke: null, battery: null }).readings).toEqual([]);
  });

  test('a press is an event; the empty action after it and the copy on /action are not', () => {
    const { send } = bench(site);
    const { events } = send('zigbee2mqtt/button-1', { action: 'single', battery: 100 });
    expect(events).toEqual([
      expect.objectContaining({ type: 'button', device: 'button-1', data: { action: 'single' } }),
    ]);
    expect(send('zigbee2mqtt/button-1', { action: '' }).events).toEqual([]);
    expect(send('zigbee2mqtt/button-1/action', 'single')).toMatchObject({ events: [], inbox: [] });
  });

  test.each([
    ['as JSON', { state: 'offline' }, { state: 'online' }],
    ['as a word', 'offline', 'online'],
  ])('availability %s', (_, offline, online) => {
    const { send, latest } = bench(site);
    send('zigbee2mqtt/smoke-101', { smoke: false });
    const gone = send('zigbee2mqtt/smoke-101/availability', offline);
    expect(brief(gone.readings)).toContain('smoke-101/smoke false bad no-communication');
    expect(gone.events).toEqual([
      expect.objectContaining({ type: 'device_offline', active: true, device: 'smoke-101' }),
    ]);
    expect(send('zigbee2mqtt/smoke-101/availability', offline).events).toEqual([]);
    const back = send('zigbee2mqtt/smoke-101/availability', online);
    expect(back.events).toEqual([expect.objectContaining({ type: 'device_offline', active: false })]);
    expect(latest('smoke-101/smoke')).toMatchObject({
      value: false,
      quality: 'uncertain',
      reason: 'last-usable-value',
    });
    expect(latest('smoke-101/battery')).toMatchObject({ value: null, quality: 'bad', reason: 'never-read' });
  });

  test('a bridge that goes takes all its devices with it in one event, and only its own', () => {
    const { send, latest } = bench(site);
    send('zigbee2mqtt/smoke-101', { smoke: false });
    send('z2m/canteen/leak-kitchen', { water_leak: false });
    send('zigbee2mqtt/door-gate', { contact: true });
    send('zigbee2mqtt/door-gate/availability', 'offline');
    const gone = send('zigbee2mqtt/bridge/state', { state: 'offline' });
    expect(gone.events).toEqual([
      expect.objectContaining({ type: 'bridge_offline', active: true, data: { bridge: 'zigbee2mqtt', devices: 4 } }),
    ]);
    expect(latest('smoke-101/smoke')).toMatchObject({ quality: 'bad', reason: 'no-communication' });
    expect(latest('leak-kitchen/water_leak')?.quality).toBe('good');
    expect(send('zigbee2mqtt/bridge/state', 'online').events).toEqual([expect.objectContaining({ active: false })]);
    expect(latest('smoke-101/smoke')?.quality).toBe('uncertain');
    expect(latest('door-gate/contact')?.quality).toBe('bad');
  });

  test('the bridge about itself, however large, and commands to devices are nobody to know', () => {
    const { send } = bench(site);
    const quiet = [
      send('zigbee2mqtt/bridge/devices', Buffer.alloc(500_000, 0x5b)),
      send('zigbee2mqtt/bridge/info', { version: '2.6.0' }),
      send('zigbee2mqtt/bridge/logging', { level: 'info', message: 'x' }),
      send('zigbee2mqtt/smoke-101/set', { state: '' }),
      send('zigbee2mqtt/smoke-101/get/smoke', ''),
    ];
    for (const accepted of quiet) expect(accepted).toMatchObject({ readings: [], events: [], inbox: [] });
  });

  test('an unknown friendly name is one inbox line, availability included', () => {
    const { send } = bench(site);
    expect(send('zigbee2mqtt/lamp/3', { state: 'ON' }).inbox).toEqual([
      expect.objectContaining({ kind: 'unknown-device', key: 'zigbee2mqtt/lamp/3', excerpt: '{"state":"ON"}' }),
    ]);
    expect(send('zigbee2mqtt/lamp/3/availability', 'online').inbox).toEqual([]);
  });

  test('attribute output works too', () => {
    const { send } = bench(site);
    expect(brief(send('zigbee2mqtt/smoke-101/battery', '97').readings)).toEqual(['smoke-101/battery 97 good']);
    expect(brief(send('zigbee2mqtt/door-gate/contact', 'false').readings)).toEqual(['door-gate/contact false good']);
  });

  test('a cached state that is sent again at a start is as old as last_seen says', () => {
    const { send, wait } = bench(site);
    const seen = start - 3 * 3_600_000;
    const [reading] = send('zigbee2mqtt/smoke-101', { smoke: false, last_seen: new Date(seen).toISOString() }).readings;
    expect(reading).toMatchObject({ value: false, quality: 'good', sourceTime: seen, receivedTime: start });
    expect(brief(wait(1_000))).toEqual(['smoke-101/smoke false uncertain last-usable-value']);
  });

  test('an empty payload (the device was removed) ends its values', () => {
    const { send, latest } = bench(site);
    send('zigbee2mqtt/door-gate', { contact: true });
    send('zigbee2mqtt/door-gate', '');
    expect(latest('door-gate/contact')).toMatchObject({ value: true, quality: 'bad', reason: 'no-communication' });
  });
});

describe('Tasmota', () => {
  /** 08:00:00 in Shanghai. */
  const time = '2026-11-20T08:00:00';
  const energy = { Total: 1.956, Yesterday: 0.054, Today: 0.049, Power: 9, Factor: 0.43, Voltage: 231, Current: 0.089 };

  test('SENSOR of the documentation, with local time', () => {
    const { send } = bench(site);
    const { readings } = send('tele/plug-1/SENSOR', { Time: time, ENERGY: energy });
    expect(brief(readings)).toEqual([
      'plug-1/power 9 good',
      'plug-1/energy 1.956 good',
      'plug-1/voltage 231 good',
      'plug-1/current 0.089 good',
      'plug-1/power_factor 0.43 good',
    ]);
    expect(readings.every((reading) => reading.sourceTime === start)).toBe(true);
  });

  test('STATE, RESULT and the bare POWER word all tell the relay', () => {
    const { send, clock } = bench(site);
    const state = { Time: time, Uptime: '0T00:10:00', POWER: 'OFF', Wifi: { AP: 1, SSId: 'campus', RSSI: 70 } };
    expect(brief(send('tele/plug-1/STATE', state).readings)).toEqual(['plug-1/relay false good']);
    clock.advance(1_000);
    expect(brief(send('stat/plug-1/RESULT', { POWER: 'ON' }).readings)).toEqual(['plug-1/relay true good']);
    expect(send('stat/plug-1/POWER', 'ON').readings).toEqual([]);
    clock.advance(1_000);
    expect(brief(send('stat/plug-1/POWER', 'OFF').readings)).toEqual(['plug-1/relay false good']);
  });

  test('a last will silences the device and says so as a point', () => {
    const { send, latest } = bench(site);
    expect(brief(send('tele/plug-1/LWT', 'Online').readings)).toEqual(['plug-1/online true good']);
    send('tele/plug-1/SENSOR', { Time: time, ENERGY: energy });
    const gone = send('tele/plug-1/LWT', 'Offline');
    expect(brief(gone.readings)).toContain('plug-1/online false good');
    expect(gone.events).toEqual([expect.objectContaining({ type: 'device_offline', active: true })]);
    expect(latest('plug-1/power')).toMatchObject({ value: 9, quality: 'bad', reason: 'no-communication' });
  });

  test('both orders of the full topic, and topics with slashes', () => {
    const { send } = bench(site);
    expect(brief(send('tele/hall/plug-2/STATE', { POWER: 'ON' }).readings)).toEqual(['plug-2/relay true good']);
    expect(brief(send('hall/plug-2/tele/LWT', 'Online').readings)).toEqual(['plug-2/online true good']);
  });

  test('a clock that is wrong by more than five minutes is not believed', () => {
    const { send } = bench(site);
    for (const wrong of ['1970-01-01T00:00:30', '2026-11-20T00:00:00']) {
      const { readings } = send('tele/plug-1/SENSOR', { Time: wrong, ENERGY: { Power: wrong.length } });
      for (const reading of readings)
        expect(reading).toMatchObject({ quality: 'uncertain', reason: 'clock', sourceTime: start });
    }
  });

  test('nan, trailing commas and messages cut short lose only what is broken', () => {
    const { send } = bench(site);
    const cut = `{"Time":"${time}","ENERGY":{"Total":1.956,"Voltage":231,"Power":12`;
    expect(brief(send('tele/plug-1/SENSOR', cut).readings)).toEqual([
      'plug-1/energy 1.956 good',
      'plug-1/voltage 231 good',
    ]);
    const nan = `{"Time":"${time}","ENERGY":{"Power":nan,"Current":0.1,},}`;
    expect(brief(send('tele/plug-1/SENSOR', nan).readings)).toEqual([
      'plug-1/power  bad device-failure',
      'plug-1/current 0.1 good',
    ]);
    expect(send('tele/plug-1/SENSOR', '{"MqttHost","m1"}').inbox).toEqual([
      expect.objectContaining({ kind: 'malformed', key: 'plug-1/SENSOR' }),
    ]);
  });

  test('the answer to Status 10 is unwrapped, chatter is ignored, strangers are named', () => {
    const { send } = bench(site);
    expect(brief(send('stat/plug-1/STATUS10', { StatusSNS: { Time: time, ENERGY: { Power: 5 } } }).readings)).toEqual([
      'plug-1/power 5 good',
    ]);
    expect(send('tele/plug-1/INFO1', { Info1: { Module: 'x' } }).inbox).toEqual([]);
    expect(send('tele/kitchen/fridge/STATE', { POWER: 'ON' }).inbox).toEqual([
      expect.objectContaining({ kind: 'unknown-device', key: 'tasmota/kitchen/fridge' }),
    ]);
  });

  test('a thermometer that says Fahrenheit is converted', () => {
    const [device] = devices({ id: 't', profile: 'sensor/tasmota-plug', address: { tasmota: 't' } });
    const [power] = device?.points ?? [];
    if (device === undefined || power === undefined) throw new Error('no profile');
    const point = { ...power, type: 'number', unit: 'Cel', address: { at: 'DHT22.Temperature' } } as const;
    const { send, latest } = bench([{ ...device, points: [point] }]);
    send('tele/t/SENSOR', { Time: time, DHT22: { Temperature: 68 }, TempUnit: 'F' });
    expect(latest('t/relay')).toMatchObject({ value: 20, unit: 'Cel' });
  });
});

describe('Home Assistant discovery', () => {
  const client = 'esp-air-301';
  const device = { ids: '240ac4123456', name: 'Air 301', mf: 'Espressif', sw: '2026.9.0' };
  const config = (object: string) => `homeassistant/sensor/${client}/${object}/config`;
  const co2 = {
    dev_cla: 'carbon_dioxide',
    unit_of_meas: 'ppm',
    stat_cla: 'measurement',
    name: 'CO2',
    '~': client,
    stat_t: '~/sensor/co2/state',
    avty_t: '~/status',
    uniq_id: 'ESPsensorco2',
    dev: device,
  };
  const announce = (b: Bench, object: string, payload: object) => b.send(config(object), payload, client);

  test('a declared device gets its points, their units and values from what it announces', () => {
    const b = bench(site);
    const { discovered, inbox } = announce(b, 'co2', co2);
    expect(inbox).toEqual([]);
    expect(discovered?.configs).toHaveLength(1);
    expect(b.changed.map((one) => one.points.map((point) => point.name))).toEqual([['online', 'co2']]);
    expect(brief(b.send(`${client}/sensor/co2/state`, '812', client).readings)).toEqual(['esp/co2 812 good']);
    expect(b.latest('esp/co2')?.unit).toBe('[ppm]');
  });

  test('the same announcement again (every reconnect) changes nothing', () => {
    const b = bench(site);
    announce(b, 'co2', co2);
    b.send(`${client}/sensor/co2/state`, '812', client);
    expect(announce(b, 'co2', co2)).toEqual({ readings: [], late: [], raw: [], steps: [], events: [], inbox: [] });
    announce(b, 'co2', { ...co2, name: 'Carbon dioxide' });
    expect(b.latest('esp/co2')).toMatchObject({ value: 812, quality: 'good' });
    expect(b.changed).toHaveLength(2);
  });

  test('an empty retained payload removes the point', () => {
    const b = bench(site);
    announce(b, 'co2', co2);
    b.send(`${client}/sensor/co2/state`, '812', client);
    const gone = b.send(config('co2'), '', client);
    expect(brief(gone.readings)).toEqual(['esp/co2 812 bad configuration-error']);
    expect(gone.discovered?.configs).toEqual([]);
    expect(b.latest('esp/co2')).toBeUndefined();
    expect(b.changed.at(-1)?.points.map((point) => point.name)).toEqual(['online']);
    expect(b.send(`${client}/sensor/co2/state`, '900', client).readings).toEqual([]);
  });

  test('availability by one topic, and the values after it comes back', () => {
    const b = bench(site);
    announce(b, 'co2', co2);
    expect(brief(b.send(`${client}/status`, 'online', client).readings)).toEqual(['esp/online true good']);
    b.send(`${client}/sensor/co2/state`, '812', client);
    const gone = b.send(`${client}/status`, 'offline', client);
    expect(brief(gone.readings)).toEqual(['esp/co2 812 bad no-communication', 'esp/online false good']);
    expect(gone.events).toEqual([expect.objectContaining({ type: 'device_offline', device: 'esp', active: true })]);
    expect(brief(b.send(`${client}/status`, 'online', client).readings)).toEqual([
      'esp/co2 812 uncertain last-usable-value',
      'esp/online true good',
    ]);
  });

  test('availability by a list, with mode and templates', () => {
    const b = bench(site);
    const { avty_t: _, ...rest } = co2;
    const avty = [
      { t: 'bridge/state', val_tpl: '{{ value_json.state }}' },
      { topic: '~/status', pl_avail: 'up', pl_not_avail: 'down' },
    ];
    announce(b, 'co2', { ...rest, avty, avty_mode: 'all' });
    b.send('bridge/state', { state: 'online' }, client);
    expect(b.latest('esp/online')?.value).toBeNull();
    b.send(`${client}/status`, 'up', client);
    expect(b.latest('esp/online')?.value).toBe(true);
    b.send('bridge/state', { state: 'offline' }, client);
    expect(b.latest('esp/online')?.value).toBe(false);
  });

  test('paths are read, programs go to the inbox with the reason', () => {
    const b = bench(site);
    const shared = { stat_t: `${client}/state`, dev: device };
    announce(b, 'temp', {
      ...shared,
      dev_cla: 'temperature',
      unit_of_meas: '°F',
      val_tpl: "{{ value_json['bme'].t }}",
    });
    announce(b, 'motion', { ...shared, dev_cla: 'motion', val_tpl: '{{ value_json.motion }}' });
    b.send(
      `homeassistant/binary_sensor/${client}/door/config`,
      { ...shared, dev_cla: 'door', pl_on: true, pl_off: false, val_tpl: '{{ value_json.door }}' },
      client,
    );
    const program = announce(b, 'dew', { ...shared, unit_of_meas: '°C', val_tpl: '{{ value_json.t | float - 2 }}' });
    expect(program.inbox).toEqual([
      expect.objectContaining({
        kind: 'unknown-point',
        key: `homeassistant/sensor/${client}/dew`,
        message: expect.stringContaining('is not a plain path'),
      }),
    ]);
    b.send(`${client}/state`, { bme: { t: 68 }, door: true }, client);
    expect(b.latest('esp/temperature')).toMatchObject({ value: 20, unit: 'Cel', quality: 'good' });
    expect(b.latest('esp/door')).toMatchObject({ value: true, unit: '' });
  });

  test('a device config announces many at once, and what it no longer names goes', () => {
    const b = bench(site);
    const topic = `homeassistant/device/${client}/config`;
    const t = { p: 'sensor', dev_cla: 'temperature', unit_of_meas: '°C', val_tpl: '{{ value_json.t }}' };
    const h = { p: 'sensor', dev_cla: 'humidity', unit_of_meas: '%', val_tpl: '{{ value_json.h }}' };
    b.send(topic, { dev: device, stat_t: `${client}/state`, cmps: { t, h, x: { p: 'camera' } } }, client);
    expect(brief(b.send(`${client}/state`, { t: 21, h: 50 }, client).readings)).toEqual([
      'esp/temperature 21 good',
      'esp/humidity 50 good',
    ]);
    expect(b.latest('esp/humidity')?.unit).toBe('%{RH}');
    b.send(topic, { dev: device, stat_t: `${client}/state`, cmps: { t } }, client);
    expect(b.latest('esp/humidity')).toBeUndefined();
    expect(b.latest('esp/temperature')?.value).toBe(21);
  });

  test('two entities of one class keep their names across a restart, whoever announces first', () => {
    const first = bench(site);
    const second = { ...co2, stat_t: '~/sensor/co2_hall/state' };
    announce(first, 'co2', co2);
    const { discovered } = announce(first, 'co2_hall', second);
    expect(first.latest('esp/co2_hall')).toBeDefined();
    const again = bench(site);
    expect(again.ingest.restoreDiscovery(JSON.parse(JSON.stringify(discovered)))).toBe(true);
    expect(again.ingest.registry.find('esp')?.device.points.map((point) => point.name)).toEqual([
      'online',
      'co2',
      'co2_hall',
    ]);
    expect(brief(again.send(`${client}/sensor/co2_hall/state`, '600', client).readings)).toEqual([
      'esp/co2_hall 600 good',
    ]);
    expect(again.ingest.restoreDiscovery({ configs: 'x' })).toBe(false);
  });

  test('nobody announces his way into the values of another client', () => {
    const b = bench(site);
    announce(b, 'co2', { ...co2, stat_t: 'zigbee2mqtt/smoke-101' });
    expect(brief(b.send('zigbee2mqtt/smoke-101', { smoke: true }, 'zigbee2mqtt').readings)).toEqual([
      'smoke-101/smoke true good',
    ]);
    announce(b, 'co2', co2);
    expect(b.send(`${client}/sensor/co2/state`, '400', 'intruder').readings).toEqual([]);
    expect(b.send(config('co2'), '', 'intruder').inbox).toEqual([
      expect.objectContaining({ message: expect.stringContaining('another client cannot change it') }),
    ]);
    expect(b.latest('esp/co2')).toBeDefined();
  });

  test('a stranger is one inbox line that says how to declare it; its states add nothing', () => {
    const b = bench(site);
    const topic = 'homeassistant/sensor/esp-2/co2/config';
    const stranger = { ...co2, '~': 'esp-2', dev: { ids: ['aabbcc'], name: 'Air 302' } };
    expect(b.send(topic, stranger, 'esp-2').inbox).toEqual([
      expect.objectContaining({
        kind: 'unknown-device',
        key: 'homeassistant/esp-2',
        message: 'Air 302 announces itself; no device with address {homeassistant: "esp-2"} in the site file',
      }),
    ]);
    expect(b.send('esp-2/sensor/co2/state', '500', 'esp-2').inbox).toEqual([]);
    expect(b.send('homeassistant/status', 'online').inbox).toEqual([]);
  });

  test('what Zigbee2MQTT and Tasmota announce of devices that are declared is no stranger', () => {
    const b = bench(site);
    const smoke = {
      stat_t: 'zigbee2mqtt/smoke-101',
      val_tpl: '{{ value_json.smoke }}',
      dev: { ids: ['zigbee2mqtt_0x1'] },
    };
    expect(b.send('homeassistant/binary_sensor/0x1/smoke/config', smoke, 'zigbee2mqtt').inbox).toEqual([]);
    expect(brief(b.send('zigbee2mqtt/smoke-101', { smoke: true }, 'zigbee2mqtt').readings)).toEqual([
      'smoke-101/smoke true good',
    ]);
  });

  test('announcements are limited per device', () => {
    const b = bench(site);
    const refused = Array.from({ length: 80 }, (_, i) =>
      announce(b, `v${i}`, { stat_t: `${client}/v${i}`, unit_of_meas: 'V', dev: device }),
    ).flatMap(({ inbox }) => inbox);
    expect(b.ingest.registry.find('esp')?.device.points).toHaveLength(64);
    expect(refused).toHaveLength(17);
    expect(announce(b, 'big', { stat_t: 'x', name: 'x'.repeat(20_000) }).inbox[0]?.message).toContain('at most 16384');
  });
});

describe('plain JSON', () => {
  test('by point name, or as an object by the paths of the profile', () => {
    const { send, clock } = bench(site);
    expect(
      brief(
        send('v1/in/air/samples', {
          s: [
            ['co2', 640],
            ['temperature', 21.5],
          ],
        }).readings,
      ),
    ).toEqual(['air/co2 640 good', 'air/temperature 21.5 good']);
    clock.advance(1_000);
    const { readings } = send('v1/in/air/samples', { t: start + 500, co2: 700, pm2_5: '12', humidity: null });
    expect(brief(readings)).toEqual(['air/humidity  bad device-failure', 'air/co2 700 good', 'air/pm2_5 12 good']);
    expect(readings.at(-1)?.sourceTime).toBe(start + 500);
  });

  test('times as ISO text work too', () => {
    const { send } = bench(site);
    const [reading] = send('v1/in/air/samples', { time: '2026-11-20T07:59:00+08:00', co2: 700 }).readings;
    expect(reading).toMatchObject({ sourceTime: start - 60_000, quality: 'good' });
  });

  test('a broken payload is committed to the inbox as it came', () => {
    const { send } = bench(site);
    expect(send('v1/in/air/samples', '{"co2": 6').inbox).toEqual([
      expect.objectContaining({ kind: 'malformed', key: 'air/samples', excerpt: '{"co2": 6' }),
    ]);
  });
});
