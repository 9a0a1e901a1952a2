import { randomUUID } from 'node:crypto';
import { healthTopic } from '#edge/bus/topics.ts';
import type { ProcessHealth } from '#edge/domain/health.ts';
import { type ChildContext, type Running, runChild } from '#edge/runtime/child.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { EdgeInit } from './context.ts';
import { joinBus } from './link.ts';

const healthEvery = 10_000;

/** Pictures that move: live view, recording, footage. Its ffmpeg children die with it; events and rules never wait for it. */
export async function startMedia(init: EdgeInit, context: ChildContext): Promise<Running> {
  const { clock } = context;
  const ending = new AbortController();
  const instance = randomUUID();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => ending.abort());
  const bus = stack.use(await joinBus('media', init, context, instance, ending.signal));
  const tell = () => {
    const health: ProcessHealth = { process: 'media', state: 'ready', time: clock.now(), instance, devices: [] };
    bus.publish(healthTopic('media'), health, { retain: true }).catch(() => {}); // told again at the next beat
  };
  bus.onConnect(tell);
  stack.use(new Ticker(healthEvery, tell));
  const owned = stack.move();
  return { info: {}, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

if (import.meta.main) runChild('media', startMedia);
