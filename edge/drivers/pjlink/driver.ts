import type { Clock } from '#edge/runtime/clock.ts';
import type { Driver } from '../driver.ts';
import { type PjlinkConfig, parsePjlinkConfig } from './config.ts';
import { PjlinkSession } from './session.ts';
import { createTurns } from './turns.ts';

/** Between two lamps that are struck, ms: what rushes into a cold one is over in a fraction of it. */
const usualGap = 200;

/** PJLink over TCP: projectors and large displays, their power, source, picture and lamp. */
export function createPjlinkDriver(options: {
  readonly clock: Clock;
  readonly strikeGap?: number;
}): Driver<PjlinkConfig> {
  const { clock, strikeGap: gap = usualGap } = options;
  const turns = createTurns({ clock, gap });
  return {
    protocol: 'pjlink',
    config: { parse: parsePjlinkConfig },
    async open(device, config, sink, signal) {
      return new PjlinkSession({ device, config, sink, clock, turns, signal });
    },
    async [Symbol.asyncDispose]() {},
  };
}
