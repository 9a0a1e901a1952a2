import type { SensorClient } from './sensor-client.ts';
import type { Room } from './sensor-scene.ts';

/* An ESPHome node: announces its entities by Home Assistant discovery, states retained, birth and last will. */

interface Entity {
  readonly object: string;
  readonly config: Readonly<Record<string, string | number>>;
  value(room: Room): string;
}

const entities: readonly Entity[] = [
  {
    object: 'co2',
    config: { dev_cla: 'carbon_dioxide', unit_of_meas: 'ppm', stat_cla: 'measurement', name: 'CO2' },
    value: (room) => room.co2.toFixed(0),
  },
  {
    object: 'temperature',
    config: { dev_cla: 'temperature', unit_of_meas: '°C', stat_cla: 'measurement', name: 'Temperature' },
    value: (room) => room.temperature.toFixed(1),
  },
  {
    object: 'humidity',
    config: { dev_cla: 'humidity', unit_of_meas: '%', stat_cla: 'measurement', name: 'Humidity' },
    value: (room) => room.humidity.toFixed(1),
  },
  {
    object: 'pm_2_5',
    config: { dev_cla: 'pm25', unit_of_meas: 'µg/m³', stat_cla: 'measurement', name: 'PM2.5' },
    value: (room) => room.pm2_5.toFixed(0),
  },
];

export function nodeWill(node: string): { topic: string; payload: string } {
  return { topic: `${node}/status`, payload: 'offline' };
}

export function announceNode(client: SensorClient, node: string, room: Room): void {
  for (const { object, config } of entities) {
    const payload = {
      ...config,
      stat_t: `${node}/sensor/${object}/state`,
      avty_t: `${node}/status`,
      uniq_id: `240ac4a1b2c3-sensor-${object}`,
      dev: {
        ids: '240ac4a1b2c3',
        name: node,
        sw: '2026.9.1',
        mdl: 'esp32dev',
        mf: 'Espressif',
        cns: [['mac', '240ac4a1b2c3']],
      },
    };
    client.publish(`homeassistant/sensor/${node}/${object}/config`, payload, { retain: true });
  }
  client.publish(`${node}/status`, 'online', { retain: true });
  publishNode(client, node, room);
}

export function publishNode(client: SensorClient, node: string, room: Room): void {
  for (const { object, value } of entities) {
    client.publish(`${node}/sensor/${object}/state`, value(room), { retain: true });
  }
}
