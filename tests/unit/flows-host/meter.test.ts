import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FlowHooks, Meter, type Source } from '#edge/flows-host/meter.ts';
import { systemClock } from '#edge/runtime/clock.ts';

/** Node-RED's hooks, and its way of delivering: in a turn of its own, receive, handler, received. */
class Hooks implements FlowHooks {
  readonly #handlers = new Map<string, Parameters<FlowHooks['add']>[1]>();
  add(name: string, handler: Parameters<FlowHooks['add']>[1]): void {
    this.#handlers.set(name.split('.')[0] ?? '', handler);
  }
  receive(node: object, handler: () => void): void {
    const event = { destination: { node } } as Parameters<Parameters<FlowHooks['add']>[1]>[0];
    this.#handlers.get('onReceive')?.(event);
    handler();
    this.#handlers.get('postReceive')?.(event);
  }
  deliver(node: object, handler: () => void): Promise<void> {
    return new Promise((resolve) => setImmediate(() => resolve(this.receive(node, handler))));
  }
}

const node = (tab: string, id: string) => ({ id, type: 'function', name: id, _path: `${tab}/${id}` });
const a = node('tab-a', 'a');
const b = node('tab-b', 'b');
/** Takes so many ms of the CPU, however long a busy machine makes it wait for them. */
const spin = (ms: number) => {
  const began = process.cpuUsage();
  for (let took = process.cpuUsage(began); (took.user + took.system) / 1_000 < ms; ) took = process.cpuUsage(began);
};

let meter: Meter;
let hooks: Hooks;
let ran: (Source | null)[];
beforeEach(() => {
  ran = [];
  meter = new Meter(systemClock, (source) => void ran.push(source));
  hooks = new Hooks();
  meter.watch(hooks);
  meter.look();
});
afterEach(() => meter[Symbol.dispose]());

/** ms of a tab, without the correction for a machine that is busy with others. */
const busy = (tab: string) => meter.look().get(tab)?.busy ?? 0;

describe('the meter', () => {
  it('puts down to a tab what its nodes do when they receive, and counts their messages', async () => {
    await hooks.deliver(a, () => spin(60));
    await hooks.deliver(b, () => spin(1));
    await hooks.deliver(b, () => {});
    const usage = meter.look();
    expect(usage.get('tab-a')).toMatchObject({ messages: 1, busiest: { node: 'a' } });
    expect(usage.get('tab-b')).toMatchObject({ messages: 2, fullest: { node: 'b' } });
    expect(usage.get('tab-a')?.busy ?? 0).toBeGreaterThan(usage.get('tab-b')?.busy ?? 0);
    expect(meter.look().size).toBe(0);
  });

  it.each([
    ['a timer', (later: () => void) => void setTimeout(later, 1)],
    [
      'an interval',
      (later: () => void) => {
        const timer = setInterval(() => {
          clearInterval(timer);
          later();
        }, 1);
      },
    ],
    [
      'a promise',
      (later: () => void) =>
        void (async () => {
          await null;
          await null;
          later();
        })(),
    ],
    ['the next tick', (later: () => void) => process.nextTick(later)],
    ['an immediate', (later: () => void) => void setImmediate(later)],
    [
      'a timer in a promise in a timer',
      (later: () => void) =>
        void setTimeout(async () => {
          await turn();
          setTimeout(later, 1);
        }, 1),
    ],
  ])('puts down to it what comes later by %s', async (_name, schedule) => {
    const done = Promise.withResolvers<void>();
    await hooks.deliver(a, () =>
      schedule(() => {
        spin(20);
        done.resolve();
      }),
    );
    await done.promise;
    await hooks.deliver(b, () => {});
    expect(busy('tab-a')).toBeGreaterThan(5);
  });

  it('gives each of two nodes its own, where one calls the other directly', async () => {
    await hooks.deliver(a, () => {
      spin(5);
      hooks.receive(b, () => spin(25));
      expect(meter.current()?.node).toBe('a');
      spin(5);
    });
    const usage = meter.look();
    expect(usage.get('tab-b')?.busy ?? 0).toBeGreaterThan(usage.get('tab-a')?.busy ?? 0);
    expect(usage.get('tab-a')?.busy ?? 0).toBeGreaterThan(2);
  });

  it('tells who runs before it runs, and when nobody does; its own deeds are nobody’s', async () => {
    await hooks.deliver(a, () => expect(ran.at(-1)).toMatchObject({ tab: 'tab-a', node: 'a' }));
    await turn();
    expect(ran.at(-1)).toBeNull();
    expect(meter.current()).toBeNull();
    const source = meter.sourceOf(b);
    meter.runAs(source, () => expect(meter.current()).toBe(source));
    expect(ran.slice(-2)).toEqual([source, null]);
  });

  it('knows whose a rejection is that nobody handles', async () => {
    const whose = new Promise((resolve) => {
      const others = process.listeners('unhandledRejection');
      process.removeAllListeners('unhandledRejection');
      process.once('unhandledRejection', () => {
        resolve(meter.current());
        for (const other of others) process.on('unhandledRejection', other);
      });
    });
    await hooks.deliver(a, () => void Promise.reject(new Error('left alone')));
    expect(await whose).toMatchObject({ node: 'a' });
  });
});
