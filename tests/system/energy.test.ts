import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { PointRef } from '#edge/domain/ids.ts';
import type { OutputState } from '#edge/domain/output.ts';
import type { DemandNow } from '#edge/processes/core/demand-desk.ts';
import { connectRpc } from '#edge/runtime/rpc.ts';
import type { SiteDemand } from '#edge/runtime/site-energy.ts';
import { startCampus } from './campus.ts';

/*
 * A demand limit that the school passes all day, through the real processes: the main meter, its driver, core, the relays. Three loads go;
 * core is killed; a person takes one, a safety rule another, and one comes back because its time is over.
 */

const soon = { timeout: 60_000, interval: 150 };
const minute = 60_000;
const heater = 'relay-1/relay_8' as PointRef;
const dryer = 'relay-1/relay_7' as PointRef;
const fan = 'relay-1/relay_6' as PointRef;

const load = (output: PointRef, maxOff: number) => ({
  output,
  value: false,
  power: 1,
  minOff: 0,
  maxOff,
  minOn: 60 * minute,
});
const both = (text: string) => ({ zh: text, en: text });
const demand: SiteDemand = {
  meter: 'main',
  // Nothing that is shed here brings the school below it. An hour, so that no window ends while the test looks.
  limit: 1,
  window: 60 * minute,
  kind: 'fixed',
  tiers: [
    { id: 'first', name: both('Heaters'), loads: [load(heater, 16_000)] },
    { id: 'second', name: both('Others'), loads: [load(dryer, 60 * minute), load(fan, 60 * minute)] },
  ],
  protected: { outputs: ['relay-1/relay_1' as PointRef], zones: [], spaces: [] },
  stagger: 1_000,
};
const smokeFan = {
  rule: 1,
  id: 'smoke-fan',
  name: both('Smoke is drawn off'),
  kind: 'safety',
  priority: 1,
  when: { kind: 'point', points: 'smoke-101/smoke', test: { is: true }, onBad: 'hold' },
  then: [{ kind: 'hold', outputs: fan, value: true }],
};

test('loads are switched off for a demand limit, over a killed core, below people and safety, and given back', async () => {
  await using campus = await startCampus({
    only: ['fieldbus', 'web'],
    city: false,
    onlyRules: { 'smoke-fan': smokeFan },
    change: (site) => (site.energy === undefined ? site : { ...site, energy: { ...site.energy, demand: [demand] } }),
  });
  await using rpc = connectRpc(join(campus.data, 'core.sock'));
  const limit = async () => {
    const { demand: limits } = (await rpc.call('energy.now', {})) as { demand: DemandNow[] };
    const [main] = limits;
    if (main === undefined) throw new Error('the limit was not looked at yet');
    return main;
  };
  const relays = async () => {
    const state = (await (
      await fetch(`${campus.controlUrl}/state`, { signal: AbortSignal.timeout(10_000) })
    ).json()) as { relays: boolean[] };
    return { heater: state.relays[7], dryer: state.relays[6], fan: state.relays[5], lights: state.relays[0] };
  };
  const output = (ref: string) => campus.get<OutputState>(`outputs/${ref}`);
  const all = { heater: true, dryer: true, fan: true, lights: true };
  await vi.waitFor(async () => expect(await relays()).toEqual(all), soon);

  await vi.waitFor(async () => expect(await relays()).toEqual({ ...all, heater: false, dryer: false, fan: false }), {
    ...soon,
    timeout: 120_000,
  });
  const shed = await output(dryer);
  expect(shed).toMatchObject({ holder: 'demand:main', priority: 12, value: false });
  expect(shed.reason).toMatch(/预测需量.*predicted demand .* against a limit of 1 kW/);
  expect((shed.until ?? 0) - shed.since).toBeGreaterThan(30 * minute);
  expect(await limit()).toMatchObject({ limit: 1, sheds: [{ ref: heater }, { ref: dryer }, { ref: fan }] });

  const before = campus.pid('core');
  process.kill(before, 'SIGKILL');
  await vi.waitFor(() => {
    expect(campus.status('core')).toMatchObject({ state: 'ready' });
    expect(campus.pid('core')).not.toBe(before);
  }, soon);
  // What was held goes on, to the same end, and so does what is known of it.
  const restored = await vi.waitFor(async () => {
    const { sheds } = await limit();
    expect(sheds.map(({ ref, defies }) => [ref, defies])).toEqual(
      expect.arrayContaining([
        [dryer, false],
        [fan, false],
      ]),
    );
    return sheds.find(({ ref }) => ref === dryer);
  }, soon);
  expect(Math.abs((restored?.until ?? 0) - (shed.until ?? 0))).toBeLessThan(minute);
  expect(await relays()).toMatchObject({ dryer: false, fan: false });
  await vi.waitFor(
    async () => expect(await output(dryer)).toMatchObject({ holder: 'demand:main', value: false }),
    soon,
  );

  // The time of the first is over, whether core was there or not.
  await vi.waitFor(async () => expect(await relays()).toMatchObject({ heater: true, dryer: false, fan: false }), soon);
  expect((await limit()).sheds.map(({ ref }) => ref)).toEqual([dryer, fan]);

  const wish = { point: dryer, value: true, seconds: 600, reason: 'the gym is wet' };
  expect(await campus.post('requests', wish)).toMatchObject({ accepted: true, outcome: 'holding' });
  await vi.waitFor(async () => expect(await relays()).toMatchObject({ dryer: true, fan: false }), soon);
  const taken = await output(dryer);
  expect(taken).toMatchObject({ holder: 'request:web', priority: 8, value: true });
  expect(taken.stack.map(({ owner }) => owner)).toEqual(['request:web', 'demand:main']);
  await vi.waitFor(
    async () =>
      expect((await limit()).sheds.map(({ ref, defies }) => [ref, defies])).toEqual([
        [dryer, true],
        [fan, false],
      ]),
    soon,
  );

  await campus.turn('smoke-101', 'on');
  await vi.waitFor(async () => expect(await relays()).toMatchObject({ fan: true }), soon);
  expect(await output(fan)).toMatchObject({ holder: 'interlock:smoke-fan', priority: 1, value: true });
  // Nobody holds what was given back, and it stays on.
  await vi.waitFor(async () => expect((await output(heater)).stack).toEqual([]), soon);
  expect(await relays()).toEqual(all);
  const { lines } = await campus.get<{ lines: { who: string; what: string }[] }>('audit?limit=200');
  const what = expect.stringContaining(`hold ${heater}=false at 12`);
  expect(lines).toContainEqual(expect.objectContaining({ who: 'demand:main', what }));
}, 240_000);
