import type { MediaHealth } from './recording.ts';

/** DESIGN section 4: every process and what it says of itself. */
export const processNames = [
  'core',
  'fieldbus',
  'camera',
  'media',
  'broadcast',
  'flows',
  'web',
  'uplink',
  'notify',
] as const;
export type ProcessName = (typeof processNames)[number];

export type ProcessState = 'starting' | 'ready' | 'stopping' | 'stopped' | 'backing-off' | 'crash-loop';

/** What the supervisor knows of one child. */
export interface ProcessStatus {
  readonly name: string;
  readonly state: ProcessState;
  readonly pid: number | null;
  readonly restarts: number;
  readonly since: number;
  /** Why the last one ended: `exit 1`, `SIGKILL`, `silent for 8 s`. */
  readonly lastExit: string | null;
  /** Resident memory, bytes, from the last heartbeat. */
  readonly rss: number | null;
  /** Largest event-loop delay since the last heartbeat, ms. */
  readonly loopDelay: number | null;
}

/** What a driver says of one device, retained inside v1/out/health/<process>. */
export interface DeviceHealth {
  readonly device: string;
  readonly state: 'starting' | 'online' | 'degraded' | 'offline' | 'held' | 'misconfigured';
  /** A sentence for people: what is wrong, what happens next, e.g. `HTTP 503 from 10.0.3.7; next try in 12 s`. */
  readonly message: string;
  readonly since: number;
  /** Outcome counts since start. */
  readonly counters: Readonly<Record<string, number>>;
}

/** Retained on v1/out/health/<process>; the last will sets state `stopped`. */
export interface ProcessHealth {
  readonly process: string;
  readonly state: 'ready' | 'stopped';
  readonly time: number;
  /** New at each start: whoever sees it change asserts what it wants again. */
  readonly instance: string;
  readonly devices: readonly DeviceHealth[];
  /** Lines that several devices share (RS-485, a gateway); absent: the process has none. */
  readonly buses?: readonly BusHealth[];
  /** Of `media` only. */
  readonly media?: MediaHealth;
}

/** One line and everything on it, over the last minutes. */
export interface BusHealth {
  /** `10.0.3.7:502`, `/dev/ttyUSB0 at 9600 8N1`. */
  readonly label: string;
  readonly state: 'connected' | 'connecting' | 'down';
  /** Why it is not connected; empty when it is. */
  readonly message: string;
  readonly since: number;
  /** Share of the last minute in which the line was busy, 0 to 1. */
  readonly utilisation: number;
  /** Requests that wait now. */
  readonly waiting: number;
  readonly units: readonly BusUnitHealth[];
}

export interface BusUnitHealth {
  /** Unit id or meter address as it is on the wire. */
  readonly unit: string;
  readonly device: string;
  /** `quarantined`: silent, probed now and then. */
  readonly state: 'answering' | 'slow' | 'quarantined' | 'unknown';
  /** Smoothed and 95th percentile answer time, ms; null before the first answer. */
  readonly latency: number | null;
  readonly latencyP95: number | null;
  /** Since the start of the process. */
  readonly requests: number;
  readonly timeouts: number;
  readonly crcErrors: number;
  readonly exceptions: number;
  /** Two devices seem to share this id: garbled answers of this unit only, or serial numbers that take turns. */
  readonly duplicate: boolean;
  /** The last failure in a sentence and when, ms; null: none. */
  readonly lastFailure: { readonly message: string; readonly time: number } | null;
  /** Next probe of a quarantined unit, ms; null otherwise. */
  readonly nextProbe: number | null;
}
