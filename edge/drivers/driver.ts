import type { Device, Point } from '#edge/domain/device.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { DeviceHealth } from '#edge/domain/health.ts';
import type { Command, CommandResult } from '#edge/domain/output.ts';
import type { Sample } from '#edge/domain/reading.ts';

/** Speaks one protocol. Knows nothing of MQTT, storage or rules. */
export interface Driver<Config> extends AsyncDisposable {
  readonly protocol: string;
  /** Parses `device.address`; throws a CodedError naming the key that is wrong. */
  readonly config: { parse(input: unknown): Config };
  /**
   * Opens one device. Must not wait for an unreachable one: it returns a session that says so by bad samples.
   * `signal` ends everything the session does.
   */
  open(device: Device, config: Config, sink: Sink, signal: AbortSignal): Promise<Session>;
}

/** Where a session puts what it hears without being asked. Nothing here throws or waits. */
export interface Sink {
  sample(sample: Sample): void;
  event(event: DriverEvent): void;
  /** Call on every transition, not on every attempt. */
  health(state: DeviceHealth['state'], message: string): void;
  /** Counts an outcome by its word (`timeout`, `crc`, `reconnect`). */
  count(outcome: string): void;
}

/** A happening as a driver hears it; core gives it its zone. */
export type DriverEvent = Pick<CampusEvent, 'id' | 'type' | 'time' | 'data'> &
  Partial<Pick<CampusEvent, 'active' | 'sourceTime' | 'snapshot'>>;

/** One live device. Reading never throws for a point: an unreachable point is a `bad` sample with a reason. */
export interface Session extends AsyncDisposable {
  read(points: readonly Point[], signal: AbortSignal): Promise<readonly Sample[]>;
  write?(command: Command, signal: AbortSignal): Promise<CommandResult>;
}
