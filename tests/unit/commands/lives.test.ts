import { describe, expect, it } from 'vitest';
import type { Hold } from '#edge/domain/output.ts';
import { arbitrate, maxHolds } from '#edge/rules/priorities.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { below, pick, seeded } from '../rules/random.ts';
import { Desk, holdOf, letGo, started } from './desk.ts';

const outputs = ['relay-1/relay_1', 'relay-1/relay_2', 'relay-1/relay_3'] as const;

const outcomes = ['done', 'done', 'failed', 'mismatch', 'expired'] as const;

/** One random life: requests, trips, expiries, lost and bad answers, a disk that fails now and then. */
async function live(seed: number): Promise<void> {
  const random = seeded(seed);
  const desk = new Desk();
  const asked: Promise<unknown>[] = [];
  for (let i = 0; i < 60; i++) {
    desk.append = random() < 0.15 ? () => Promise.reject(new Error('disk')) : () => Promise.resolve();
    const output = pick(random, outputs);
    const draw = random();
    if (draw < 0.3) {
      const client = pick(random, ['flows', 'web']);
      const value = random() < 0.25 ? null : random() < 0.5;
      asked.push(desk.ask(output, value, { client, seconds: 1 + below(random, 300) }));
    } else if (draw < 0.45) {
      const owner = `interlock:${pick(random, ['fire', 'load'])}`;
      desk.interlock(random() < 0.5 ? holdOf(output, random() < 0.5, owner) : letGo(output, owner));
    } else if (draw < 0.75) {
      const command = desk.sent[below(random, desk.sent.length)]?.command;
      if (command === undefined) continue;
      const outcome = pick(random, outcomes);
      desk.answer(outcome, outcome === 'done' ? { value: command.value } : {}, command);
    } else await desk.pass(250 * (1 + below(random, 20)));
  }
  desk.append = () => Promise.resolve();
  await Promise.all(asked);
  // The disk is well again; devices answer what they are told, for long enough that every back-off has passed.
  for (let i = 0; i < 100; i++) {
    await desk.pass(1_000);
    for (const { command } of desk.sent.splice(0)) desk.answer('done', { value: command.value }, command);
  }
  check(desk, seed);
}

function check(desk: Desk, seed: number): void {
  const now = desk.clock.now();
  for (const output of outputs) {
    const state = desk.state(output);
    const why = `seed ${seed}, ${output}`;
    expect(state, why).toEqual(desk.commands.outputs().find((one) => one.ref === output));
    expect(state.stack.length, why).toBeLessThanOrEqual(maxHolds);
    expect(new Set(state.stack.map((hold) => hold.owner)).size, why).toBe(state.stack.length);
    expect(arbitrate(state.stack, now).stack, why).toEqual(state.stack);
    expect(desk.onDisk(output) ?? [], why).toEqual(expect.arrayContaining([...state.stack]));
    expect((desk.onDisk(output) ?? []).length, why).toBe(state.stack.length);
    if (state.holder !== null) expect(state.confirmed?.value, why).toBe(state.value);
  }
  expect(desk.commands.counters, `seed ${seed}`).toMatchObject({ recordsOwed: 0, recordsDropped: 0, inFlight: 0 });
}

describe('whatever happens', () => {
  it('the state told, the array in memory and the array on disk agree, and the device has what is wanted: 150 lives', async () => {
    for (let seed = 1; seed <= 150; seed++) await live(seed);
  });

  it('a new process goes on where the old one was', async () => {
    const desk = new Desk();
    await desk.ask('relay-1/relay_1', true, { seconds: 60 });
    desk.interlock(holdOf('relay-1/relay_1', false));
    await desk.settle();
    const restored = (desk.onDisk('relay-1/relay_1') ?? []) as readonly Hold[];
    const next = new Desk({ restored, clock: new ManualClock(started + 10_000) });
    expect(next.state('relay-1/relay_1').stack).toEqual(desk.state('relay-1/relay_1').stack);
  });
});
