import type { SensorClient } from './sensor-client.ts';

/* A metering plug with Tasmota 14: LWT, INFO at each connection, STATE and SENSOR every TelePeriod, RESULT at once. */

export interface Plug {
  readonly topic: string;
  on: boolean;
  /** W */
  power: number;
  /** kWh */
  total: number;
  today: number;
  readonly bootedAt: number;
}

export function plugWill(topic: string): { topic: string; payload: string } {
  return { topic: `tele/${topic}/LWT`, payload: 'Offline' };
}

export function plugCommands(topic: string): string {
  return `cmnd/${topic}/#`;
}

export function announcePlug(client: SensorClient, plug: Plug, local: number): void {
  const tele = `tele/${plug.topic}`;
  client.publish(`${tele}/LWT`, 'Online', { retain: true });
  client.publish(`stat/${plug.topic}/RESULT`, { POWER: onOff(plug) });
  client.publish(`stat/${plug.topic}/POWER`, onOff(plug));
  client.publish(`${tele}/INFO1`, {
    Info1: { Module: 'Gosund SP1 v23', Version: '14.3.0(tasmota)', FallbackTopic: 'cmnd/DVES_A1B2C3_fb/' },
  });
  publishTelemetry(client, plug, local);
}

/** `local` is the wall clock as ms (its fields as UTC): Tasmota prints it without an offset. */
export function publishTelemetry(client: SensorClient, plug: Plug, local: number): void {
  const time = new Date(local).toISOString().slice(0, 19);
  const uptime = Math.max(0, Math.floor((local - plug.bootedAt) / 1000));
  client.publish(`tele/${plug.topic}/STATE`, {
    Time: time,
    Uptime: `${Math.floor(uptime / 86_400)}T${new Date((uptime % 86_400) * 1000).toISOString().slice(11, 19)}`,
    UptimeSec: uptime,
    Heap: 27,
    POWER: onOff(plug),
    Wifi: { AP: 1, SSId: 'campus-iot', Channel: 6, RSSI: 78, Signal: -61, LinkCount: 1, Downtime: '0T00:00:03' },
  });
  const voltage = 231;
  const power = plug.on ? plug.power : 0;
  client.publish(`tele/${plug.topic}/SENSOR`, {
    Time: time,
    ENERGY: {
      TotalStartTime: '2026-08-24T09:12:40',
      Total: round(plug.total),
      Yesterday: 3.104,
      Today: round(plug.today),
      Period: 1,
      Power: power,
      ApparentPower: power,
      ReactivePower: 0,
      Factor: power === 0 ? 0 : 0.99,
      Voltage: voltage,
      Current: round(power / voltage),
    },
  });
}

/** `cmnd/<topic>/POWER` with ON, OFF or TOGGLE; anything else is ignored, as with an unknown command. */
export function obey(client: SensorClient, plug: Plug, topic: string, payload: string): void {
  if (topic !== `cmnd/${plug.topic}/POWER`) return;
  const word = payload.trim().toUpperCase();
  if (word === 'ON' || word === '1') plug.on = true;
  else if (word === 'OFF' || word === '0') plug.on = false;
  else if (word === 'TOGGLE' || word === '2') plug.on = !plug.on;
  client.publish(`stat/${plug.topic}/RESULT`, { POWER: onOff(plug) });
  client.publish(`stat/${plug.topic}/POWER`, onOff(plug));
}

function onOff(plug: Plug): 'ON' | 'OFF' {
  return plug.on ? 'ON' : 'OFF';
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
