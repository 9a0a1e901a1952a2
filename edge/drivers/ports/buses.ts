import type { BusHealth } from '#edge/domain/health.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { Bus } from './bus.ts';
import type { LinkKind } from './link.ts';
import type { PortSource } from './port.ts';
import { streamLink } from './stream-link.ts';

export interface LineSettings {
  /** Least silence between two frames, ms; on a serial line 3.5 characters, over TCP 0: the gateway keeps it. */
  readonly frameGap: number;
}

export interface BusUse {
  readonly source: PortSource;
  readonly line: LineSettings;
  /** For people: `Modbus RTU`, `DL/T 645`. */
  readonly speaks: string;
  /** Default: frames one after another on a plain line of bytes, which protocols may share. */
  readonly kind?: LinkKind;
  /** Id of the device that uses it: named when another does not get along with it. */
  readonly device?: string;
}

export interface Leased {
  readonly bus: Bus;
  /** Gives it back; the last one closes the line. May be called twice. */
  release(): Promise<void>;
}

/** The lines of a process: whoever speaks to the same serial path, or the same host and port, shares one. */
export interface Buses extends AsyncDisposable {
  /** Opens nothing yet. Throws DEVICE_CONFIG when another device uses the same line with other settings or other frames. */
  acquire(use: BusUse): Leased;
  /** What people want to know of each line. */
  health(): readonly BusHealth[];
}

interface Shared {
  readonly bus: Bus;
  readonly use: BusUse;
  users: number;
}

export function createBuses(options: {
  readonly clock: Clock;
  /** Back-off between connection attempts, ms. Default 1 s to 30 s. */
  readonly reconnect?: { readonly first: number; readonly cap: number };
}): Buses {
  const shared = new Map<string, Shared>();
  return {
    acquire(use) {
      const known = shared.get(use.source.key) ?? open(use, options);
      checkFit(known.use, use);
      known.bus.needsGap(use.line.frameGap);
      known.users++;
      shared.set(use.source.key, known);
      let released = false;
      const release = async () => {
        if (released) return;
        released = true;
        known.users--;
        if (known.users > 0) return;
        if (shared.get(use.source.key) === known) shared.delete(use.source.key);
        await known.bus[Symbol.asyncDispose]();
      };
      return { bus: known.bus, release };
    },
    health: () => [...shared.values()].map(({ bus }) => bus.health()),
    async [Symbol.asyncDispose]() {
      const all = [...shared.values()];
      shared.clear();
      await Promise.all(all.map(({ bus }) => bus[Symbol.asyncDispose]()));
    },
  };
}

const kindOf = (use: BusUse) => use.kind ?? streamLink;

function open(use: BusUse, options: Parameters<typeof createBuses>[0]): Shared {
  const { source, line } = use;
  return { bus: new Bus({ source, kind: kindOf(use), frameGap: line.frameGap, ...options }), use, users: 0 };
}

function checkFit(known: BusUse, use: BusUse): void {
  const other = known.device === undefined ? 'another device' : known.device;
  if (known.source.settings !== use.source.settings) {
    const settings = `${other} uses ${known.source.label}, this one ${use.source.label}`;
    throw new CodedError('DEVICE_CONFIG', `address: one line has one set of settings; ${settings}`);
  }
  if (kindOf(known) === kindOf(use)) return;
  throw new CodedError(
    'DEVICE_CONFIG',
    `address: ${other} speaks ${known.speaks} to ${use.source.label}, this one ${use.speaks}`,
  );
}
