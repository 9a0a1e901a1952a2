import type { Clock } from '#edge/runtime/clock.ts';
import type { Driver } from '../driver.ts';
import { serialPort } from '../ports/serial.ts';
import { tcpPort } from '../ports/tcp.ts';
import { type FirePanelConfig, parseFirePanelConfig } from './config.ts';
import { FirePanelSession } from './session.ts';

/** Fire alarm panels by the text of their printer port. Listens only: nothing is ever written to a panel. */
export function createFirePanelDriver({ clock }: { readonly clock: Clock }): Driver<FirePanelConfig> {
  return {
    protocol: 'fire-panel',
    config: { parse: parseFirePanelConfig },
    async open(_device, config, sink, signal) {
      return new FirePanelSession({ config, sink, clock, signal, source: sourceOf(config) });
    },
    async [Symbol.asyncDispose]() {},
  };
}

function sourceOf({ tcp, serial }: FirePanelConfig) {
  if (tcp !== undefined) return tcpPort(tcp);
  if (serial !== undefined) return serialPort(serial);
  throw new Error('a fire panel has a line');
}
