/** DESIGN section 4: every process and what it says of itself. */
export const processNames = ['core', 'fieldbus', 'camera', 'broadcast', 'flows', 'web', 'uplink', 'notify'] as const;
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
}
