import { join } from 'node:path';
import { loadProfiles } from '#edge/profiles/load.ts';
import { type SimUnit, startModbusServer } from '#edge/simulators/modbus-server.ts';
import { profileUnit } from '#edge/simulators/modbus-units.ts';
import { serveOrders } from './rig.ts';

/* Simulated devices of one product, each on a port of its own, in a process of their own: they answer from memory, at once or after `think` ms. */

/** Moments the meter goes through, over and over. */
const images = 61;

serveOrders(async ({ count, think, units = 1, product = 'meter/eastron-sdm630' }) => {
  const { profiles } = await loadProfiles(join(import.meta.dirname, '../../device-profiles'));
  const profile = profiles.get(String(product));
  if (profile === undefined) throw new Error(`the profile ${String(product)} is gone`);
  const meter = moving(Array.from({ length: images }, (_, i) => profileUnit(profile, (name) => shownBy(name, i))));
  const servers = await Promise.all(
    Array.from({ length: Number(count) }, () =>
      startModbusServer({
        host: '127.0.0.1',
        port: 0,
        framing: 'mbap',
        units: new Map(Array.from({ length: Number(units) }, (_, i) => [i + 1, meter])),
        think: Number(think),
      }),
    ),
  );
  return { ports: servers.map(({ port }) => port) };
});

const texts: Readonly<Record<string, string>> = { model: 'SUN2000-50KTL-M3', status: 'on_grid' };

/** What the device shows at one moment: all but the energy moves a little, as it does on a real feeder. */
function shownBy(name: string, moment: number): number | string {
  const text = texts[name];
  if (text !== undefined) return text;
  const wander = 1 + 0.01 * Math.sin(moment + name.length);
  const plausible: Readonly<Record<string, number>> = {
    frequency: 50,
    power: 9_000,
    power_factor: 0.95,
    apparent_power: 9_500,
    energy_import: 1_234.5,
    energy_export: 0,
    serial: 19_430_527,
  };
  const value = plausible[name] ?? (name.startsWith('voltage') ? 230 : name.startsWith('power_l') ? 3_000 : 13);
  if (name.includes('energy') || name === 'serial') return value;
  // Three phases together stay what the total says: the profile checks it.
  return name === 'power' || name.startsWith('power_l') ? value * (1 + 0.01 * Math.sin(moment)) : value * wander;
}

/** Encodes each block once for each moment: the meter's own work must not be what is measured. */
function moving(moments: readonly SimUnit[]): SimUnit {
  const known = new Map<string, readonly (Buffer | number)[]>();
  let asked = 0;
  return {
    write: () => 1,
    read(table, at, count) {
      const key = `${table} ${at} ${count}`;
      const answers = known.get(key) ?? moments.map((unit) => unit.read(table, at, count));
      known.set(key, answers);
      return answers[asked++ % answers.length] ?? 4;
    },
  };
}
