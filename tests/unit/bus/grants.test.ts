import { describe, expect, test } from 'vitest';
import type { Grant, GrantingSite } from '#edge/bus/grants.ts';
import { findBrokenGrants, grantsFor, TopicSet } from '#edge/bus/grants.ts';
import { processNames } from '#edge/domain/health.ts';
import type { DeviceId } from '#edge/domain/ids.ts';

function client(id: string, grant: Partial<GrantingSite['clients'][number]>): GrantingSite['clients'][number] {
  return { id, publish: [], subscribe: [], devices: [], requests: [], ...grant };
}

const site: GrantingSite = {
  clients: [
    client('z2m', { publish: ['zigbee2mqtt/#'], subscribe: ['zigbee2mqtt/#'] }),
    client('sensor-1', { devices: ['sensor-1' as DeviceId] }),
    client('panel', { requests: ['lamp-1/*'], subscribe: ['v1/out/#'] }),
    client('greedy', { publish: ['#', 'v1/command/#', '+/x', '$SYS/#'], subscribe: ['#', 'v1/in/#', 'v1/answer/web'] }),
    client('fieldbus', { publish: ['tele/#'] }),
  ],
};
const grants = grantsFor(site, { fieldbus: ['meter-1' as DeviceId], camera: ['gate' as DeviceId] });

function mayPublish(id: string, topic: string): boolean {
  return new TopicSet(grants(id)?.publish ?? []).has(topic);
}
function maySubscribe(id: string, filter: string): boolean {
  return new TopicSet(grants(id)?.subscribe ?? []).covers(filter);
}

describe('grants', () => {
  test('a driver process speaks for its own devices and hears its own commands', () => {
    expect(grants('fieldbus')).toEqual<Grant>({
      publish: ['v1/in/meter-1/#', 'v1/result/fieldbus', 'v1/out/health/fieldbus', 'v1/network/fieldbus'],
      subscribe: ['v1/command/fieldbus'],
      willTopic: 'v1/out/health/fieldbus',
      internal: true,
    });
    expect(mayPublish('fieldbus', 'v1/in/gate/samples')).toBe(false);
    expect(mayPublish('camera', 'v1/in/gate/event')).toBe(true);
    expect(maySubscribe('camera', 'v1/command/fieldbus')).toBe(false);
  });

  test.each(['flows', 'web', 'uplink'])('%s asks and listens, and never acts', (name) => {
    expect(mayPublish(name, `v1/request/${name}`)).toBe(true);
    expect(mayPublish(name, 'v1/request/panel')).toBe(false);
    expect(maySubscribe(name, 'v1/out/#')).toBe(true);
    expect(maySubscribe(name, `v1/answer/${name}`)).toBe(true);
    expect(maySubscribe(name, 'v1/in/#')).toBe(false);
  });

  test('who talks to strangers hears what is public, says how he is, and may ask for nothing', () => {
    expect(grants('notify')).toEqual<Grant>({
      publish: ['v1/out/health/notify'],
      subscribe: ['v1/out/#'],
      willTopic: 'v1/out/health/notify',
      internal: true,
    });
  });

  test('nobody at all may publish a command, a reading, an event, an alarm or an output', () => {
    const everybody = [...processNames, ...site.clients.map(({ id }) => id), 'supervisor', 'nobody'];
    for (const topic of [
      'v1/command/fieldbus',
      'v1/out/reading/meter-1/power',
      'v1/out/event/motion',
      'v1/out/alarm/x',
      'v1/out/output/lamp-1/on',
      'v1/out/health/core',
      'v1/out/health/supervisor',
      '$SYS/x',
    ]) {
      expect(everybody.filter((id) => mayPublish(id, topic))).toEqual([]);
    }
    for (const filter of ['#', 'v1/#', 'v1/in/#', 'v1/command/#', 'v1/request/#', '$SYS/#', '+/#']) {
      expect(everybody.filter((id) => maySubscribe(id, filter))).toEqual([]);
    }
  });

  test('a client of the site has its devices, its foreign prefixes, and requests only when the site says so', () => {
    expect(mayPublish('z2m', 'zigbee2mqtt/lamp/set')).toBe(true);
    expect(mayPublish('z2m', 'v1/in/sensor-1/samples')).toBe(false);
    expect(mayPublish('z2m', 'v1/request/z2m')).toBe(false);
    expect(mayPublish('sensor-1', 'v1/in/sensor-1/samples')).toBe(true);
    expect(mayPublish('panel', 'v1/request/panel')).toBe(true);
    expect(maySubscribe('panel', 'v1/out/alarm/+')).toBe(true);
    expect(maySubscribe('sensor-1', 'v1/out/#')).toBe(false);
    expect(maySubscribe('sensor-1', 'v1/answer/sensor-1')).toBe(true);
  });

  test('what the site file may not grant is left out and named with its place', () => {
    expect(grants('greedy')).toEqual({ publish: [], subscribe: ['v1/answer/greedy'] });
    expect(findBrokenGrants(site).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'clients[3].publish[0]: "#"',
      'clients[3].publish[1]: "v1/command/#"',
      'clients[3].publish[2]: "+/x"',
      'clients[3].publish[3]: "$SYS/#"',
      'clients[3].subscribe[0]: "#"',
      'clients[3].subscribe[1]: "v1/in/#"',
      'clients[3].subscribe[2]: "v1/answer/web"',
      'clients[4].id: "fieldbus"',
    ]);
  });
});
