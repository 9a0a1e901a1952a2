import type { Clock } from '#edge/runtime/clock.ts';
import type { Driver } from '../driver.ts';
import { Agent } from './agent.ts';
import { parseSnmpConfig, type SnmpConfig } from './config.ts';
import { SnmpSession } from './session.ts';

/** SNMP v2c and v3 (authenticated and encrypted) over UDP: switches and whatever else has an agent. */
export function createSnmpDriver({ clock }: { readonly clock: Clock }): Driver<SnmpConfig> {
  return {
    protocol: 'snmp',
    config: { parse: parseSnmpConfig },
    async open(device, config, sink, signal) {
      const agent = new Agent({ config, clock, count: (word) => sink.count(word) });
      return new SnmpSession({ device, config, agent, sink, clock, signal });
    },
    async [Symbol.asyncDispose]() {},
  };
}
