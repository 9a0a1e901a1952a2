import type { Clock } from '#edge/runtime/clock.ts';
import type { Driver } from '../driver.ts';
import { type PjlinkConfig, parsePjlinkConfig } from './config.ts';
import { PjlinkSession } from './session.ts';

/** PJLink over TCP: projectors and large displays, their power, source, picture and lamp. */
export function createPjlinkDriver({ clock }: { readonly clock: Clock }): Driver<PjlinkConfig> {
  return {
    protocol: 'pjlink',
    config: { parse: parsePjlinkConfig },
    async open(device, config, sink, signal) {
      return new PjlinkSession({ device, config, sink, clock, signal });
    },
    async [Symbol.asyncDispose]() {},
  };
}
