import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { EnergyFinding } from '#edge/domain/energy.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { connectRpc } from '#edge/runtime/rpc.ts';
import type { Site } from '#edge/runtime/site.ts';
import { openReader } from '#edge/store/reader.ts';
import { openStore } from '#edge/store/store.ts';
import { alarm, day, retention } from '../fixtures/store/site.ts';
import { startSafetyCore, temporaryData, until } from './safety-core.ts';

/* Energy in core: what stands over a restart, what ends with its meter, and what is wrong with the site file. */

const source = 'energy:water/leak';

test('a finding and its alarm stand over a restart, and end when the site has the meter no more', async () => {
  using data = temporaryData();
  const now = systemClock.now();
  const finding: EnergyFinding = {
    ...{ kind: 'leak', meter: 'water', from: now - 3 * day, to: now - day },
    ...{ found: 0.2, expected: 0, unit: 'm3/h', costPerDay: 19.7 },
  };
  const known = { finding, stands: true, count: 0, heard: finding.to, seen: finding.to };
  const memory = { findings: { 'leak:water': known }, judged: now - day, holidays: [] };
  const open = alarm(now - day, { source, class: 'medium', state: 'acknowledged' });
  {
    await using store = await openStore({ folder: data.path, clock: systemClock, log: silentLog, retention });
    await store.append({ state: { 'energy-watch': memory }, alarms: [open] });
  }
  const start = async (change?: (site: Site) => Site) => {
    const core = await startSafetyCore({ data: data.path, ...(change === undefined ? {} : { change }) });
    const rpc = connectRpc(join(data.path, 'core.sock'));
    return {
      core,
      energy: () => rpc.call('energy.now', {}),
      async [Symbol.asyncDispose]() {
        await rpc[Symbol.asyncDispose]();
        await core[Symbol.asyncDispose]();
      },
    };
  };
  {
    await using room = await start();
    expect(await room.energy()).toMatchObject({ findings: [finding] });
    // The same occurrence: whoever has seen it need not see it again.
    expect(room.core.alarms.get(source)).toMatchObject({ id: open.id, state: 'acknowledged', active: true });
    expect(room.core.alarms.has('site:energy')).toBe(false);
  }
  await using room = await start((site) => ({
    ...site,
    energy: { meters: [], buildings: [], tariffs: [], demand: [] },
  }));
  expect(await room.energy()).toEqual({ demand: [], findings: [], holidays: [] });
  using reader = openReader(data.path);
  const told: readonly Alarm[] = reader.alarms({ limit: 10 }).filter((one) => one.source === source);
  expect(told).toMatchObject([{ id: open.id, state: 'normal', active: false }]);
}, 60_000);

test('what the site file says of energy and no device can do is one alarm that names it, until it is mended', async () => {
  using data = temporaryData();
  const broken = (site: Site): Site => ({
    ...site,
    energy: {
      buildings: [],
      tariffs: [],
      meters: [
        { id: 'main', medium: 'electricity', device: 'meter-main', points: { energy: 'no_such_point' } },
        { id: 'lost', medium: 'electricity', device: 'no-such-meter' },
      ],
      demand: [],
    },
  });
  {
    await using core = await startSafetyCore({ data: data.path, change: broken });
    await until(() => expect(core.alarms.get('site:energy')).toMatchObject({ class: 'medium', active: true }));
    const said = core.alarms.get('site:energy')?.next.en;
    expect(said).toContain('energy.meters[0]');
    expect(said).toContain('no-such-meter');
  }
  await using core = await startSafetyCore({ data: data.path });
  // It may be told once more that it is over.
  expect(core.alarms.get('site:energy')?.active ?? false).toBe(false);
}, 60_000);
