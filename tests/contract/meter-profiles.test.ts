import { describe, expect, it } from 'vitest';
import type { Device } from '#edge/domain/device.ts';
import type { DeviceId, ZoneId } from '#edge/domain/ids.ts';
import { createCjt188Driver } from '#edge/drivers/cjt188/driver.ts';
import { createDlt645Driver } from '#edge/drivers/dlt645/driver.ts';
import type { Driver } from '#edge/drivers/driver.ts';
import { createBuses } from '#edge/drivers/ports/buses.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import type { Cjt188Profile, Dlt645Profile, Profile } from '#edge/profiles/profile.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { createCjt188Meter } from '#edge/simulators/meter-cjt188.ts';
import { createDlt645Meter } from '#edge/simulators/meter-dlt645.ts';
import type { LineMeter } from '#edge/simulators/meter-line.ts';
import { startMeterLine } from '#edge/simulators/meter-line.ts';
import { countingFace, countingFlow, host } from './meter-rig.ts';

/* The profiles that we ship, our drivers, and meters that were written apart from both. */

const clock = systemClock;
const never = new AbortController().signal;
const number = '78330011223344';
const { profiles } = await loadProfiles(new URL('../../device-profiles', import.meta.url).pathname);

type Chinese = Dlt645Profile | Cjt188Profile;
const isChinese = (profile: Profile): profile is Chinese =>
  profile.protocol === 'dlt645' || profile.protocol === 'cjt188';
const ours = [...profiles].flatMap(([path, profile]): [string, Chinese][] =>
  isChinese(profile) ? [[path, profile]] : [],
);

const heat = () => ({ energy: 200, settled: 100, power: 1_250, flow: 53, supply: 6_535, return: 4_566, hours: 1_234 });

function meterFor(profile: Chinese): LineMeter {
  if (profile.protocol === 'dlt645') {
    return createDlt645Meter({ clock, face: countingFace(), address: number.slice(2), model: 'M1' });
  }
  const { type } = profile.bus;
  const isHeat = type >= 0x20 && type <= 0x2f;
  const face = isHeat ? { ...countingFlow(), heat } : countingFlow();
  return createCjt188Meter({ clock, type, address: number, diOrder: profile.bus.di_order, face });
}

describe('every profile of DL/T 645 and CJ/T 188', () => {
  it('is among those we ship', () => {
    expect(ours.length).toBeGreaterThanOrEqual(5);
  });

  it.each(ours)('reads all its values from a meter: %s', async (path, profile) => {
    const meter = meterFor(profile);
    await using line = await startMeterLine({ host, port: 0, baud: null, meters: [meter] });
    await using buses = createBuses({ clock });
    const options = { clock, profiles, buses };
    const driver: Driver<unknown> =
      profile.protocol === 'dlt645' ? createDlt645Driver(options) : createCjt188Driver(options);
    const device: Device = {
      id: 'meter' as DeviceId,
      name: profile.name,
      profile: path,
      protocol: profile.protocol,
      zone: 'zone' as ZoneId,
      points: pointsOf(profile, { fast: 2_000, normal: 15_000, slow: 300_000 }),
      address: { tcp: { host, port: line.port, baud: 115_200 }, meter: meter.name, timeout: '300ms' },
    };
    const states: string[] = [];
    const sink = {
      sample: () => {},
      event: () => {},
      health: (state: string, message: string) => states.push(`${state}: ${message}`),
      count: () => {},
    };
    await using session = await driver.open(device, driver.config.parse(device.address), sink, never);
    const samples = await session.read(device.points, never);
    const bad = samples.filter(({ quality }) => quality === 'bad').map(({ point, reason }) => `${point}: ${reason}`);
    expect(bad).toEqual([]);
    expect(samples).toHaveLength(device.points.length);
    expect(states).toEqual(['online: answers']);
    // Blocks and shared identifiers: fewer questions than values.
    expect(line.stats.frames).toBeLessThan(samples.length);
  });
});
