import { join } from 'node:path';
import { loadProfiles } from '#edge/profiles/load.ts';
import { type SimUnit, startModbusServer } from '#edge/simulators/modbus-server.ts';
import { profileUnit } from '#edge/simulators/modbus-units.ts';
import { serveOrders } from './rig.ts';

/* Simulated SDM630 meters, each on a port of its own, in a process of their own: they answer from memory, as fast as can be. */
serveOrders(async ({ count }) => {
  const { profiles } = await loadProfiles(join(import.meta.dirname, '../../device-profiles'));
  const profile = profiles.get('meter/eastron-sdm630');
  if (profile === undefined) throw new Error('the profile meter/eastron-sdm630 is gone');
  const plausible: Readonly<Record<string, number>> = {
    frequency: 50,
    power: 9_000,
    power_factor: 0.95,
    energy_import: 1_234.5,
  };
  const meter = profileUnit(
    profile,
    (name) => plausible[name] ?? (name.startsWith('voltage') ? 230 : name.startsWith('power_l') ? 3_000 : 13),
  );
  const servers = await Promise.all(
    Array.from({ length: Number(count) }, () =>
      startModbusServer({ host: '127.0.0.1', port: 0, framing: 'mbap', units: new Map([[1, remembering(meter)]]) }),
    ),
  );
  return { ports: servers.map(({ port }) => port) };
});

/** Encodes each block once: the meter's own work must not be what is measured. */
function remembering(unit: SimUnit): SimUnit {
  const known = new Map<string, Buffer | number>();
  return {
    write: unit.write,
    read(table, at, count) {
      const key = `${table} ${at} ${count}`;
      const answer = known.get(key) ?? unit.read(table, at, count);
      known.set(key, answer);
      return answer;
    },
  };
}
