import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { AuditLine } from '#edge/domain/audit.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { writeDurably } from '#edge/runtime/durable-file.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { Backoff, delay } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import { readIfThere } from '#edge/runtime/pki-files.ts';
import { type SyslogServer, sendSyslog, syslogFrame } from '#edge/runtime/syslog.ts';

/*
 * Every line of the audit, once more, in a place that nobody of this campus can change. Each line arrives at least
 * once and in order: the cursor moves when the server has read a batch (runtime/syslog.ts), never before; `seq` tells
 * the receiver what it has twice.
 */

/** A line with its number, and its link of the chain (hex) where there is one. */
export interface NumberedLine extends AuditLine {
  readonly seq: number;
  readonly hash?: string;
}

/** What is read: the store's reader. */
export interface AuditSource {
  audit(after: number, limit: number): readonly NumberedLine[];
  auditHead(): { readonly seq: number } | null;
  meta(): { readonly created: number };
}

export interface AuditForwardOptions {
  readonly server: SyslogServer;
  readonly campus: string;
  readonly source: AuditSource;
  /** The data folder: the cursor is kept there. */
  readonly data: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly times?: Partial<ForwardTimes>;
}

export interface ForwardTimes {
  /** How often new lines are looked for, ms. */
  readonly look: number;
  /** Pauses after a failure, ms. */
  readonly backoffFirst: number;
  readonly backoffCap: number;
  /** A line that has waited this long is said to be late, ms. */
  readonly late: number;
}

export interface AuditForwardState {
  /** `host:port`, and whether what is sent is encrypted. */
  readonly to: string;
  readonly encrypted: boolean;
  /** The last line that the server has read, and when; 0 and null: none yet. */
  readonly seq: number;
  readonly sent: number | null;
  /** How many lines wait, and since when the oldest of them does (ms since epoch; null: nothing waits). */
  readonly waiting: number;
  readonly oldest: number | null;
  /** Why it does not go on, in words. */
  readonly error: string | null;
}

export interface AuditForward extends AsyncDisposable {
  state(): AuditForwardState;
}

const defaultTimes: ForwardTimes = { look: 2_000, backoffFirst: 1_000, backoffCap: 300_000, late: 3_600_000 };
const batchLines = 200;
const batchBytes = 128 * 1024;
/** RFC 5424 wants an enterprise number behind a name of one's own; 32473 is the one for documentation (RFC 5612). */
const dataId = 'audit@32473';
const auditFacility = 13;

const cursorSchema = z.strictObject({ version: z.literal(1), database: z.int(), seq: z.int().min(0) });

/** Begins where it left off; at the first start with the oldest line there is. */
export async function startAuditForward(options: AuditForwardOptions): Promise<AuditForward> {
  const forward = new Forward(options);
  await forward.begin();
  return forward;
}

class Forward implements AuditForward {
  readonly #options: AuditForwardOptions;
  readonly #times: ForwardTimes;
  readonly #ending = new AbortController();
  readonly #backoff: Backoff;
  readonly #file: string;
  #running: Promise<void> = Promise.resolve();
  #database: number | null = null;
  #seq = 0;
  #sent: number | null = null;
  #oldest: number | null = null;
  #newest = 0;
  #error: string | null = null;
  #isLate = false;

  constructor(options: AuditForwardOptions) {
    this.#options = options;
    this.#times = { ...defaultTimes, ...options.times };
    this.#backoff = new Backoff({ first: this.#times.backoffFirst, cap: this.#times.backoffCap });
    this.#file = join(options.data, 'audit-forward.json');
  }

  async begin(): Promise<void> {
    await this.#readCursor();
    this.#running = this.#run(this.#ending.signal);
  }

  state(): AuditForwardState {
    const { host, port, tls } = this.#options.server;
    return {
      to: `${host}:${port}`,
      encrypted: tls,
      seq: this.#seq,
      sent: this.#sent,
      waiting: Math.max(0, this.#newest - this.#seq),
      oldest: this.#oldest,
      error: this.#error,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let pause = this.#times.look;
      try {
        if (await this.#forwardSome(signal)) pause = 0;
        this.#recovered();
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof CodedError)) throw error;
        // There is no database yet: that is core's business, and soon over.
        pause = codeOf(error) === 'STORE_NOT_READY' ? this.#times.look : this.#failed(error);
      }
      if (pause > 0) await delay(pause, signal);
    }
  }

  /** True when there may be more. */
  async #forwardSome(signal: AbortSignal): Promise<boolean> {
    const { source, server, clock } = this.#options;
    this.#follow();
    const lines = source.audit(this.#seq, batchLines);
    const frames = this.#framesOf(lines);
    const last = lines[frames.length - 1];
    this.#oldest = lines[0]?.time ?? null;
    this.#judgeLag();
    if (last === undefined) return false;
    await sendSyslog(server, frames, signal);
    this.#seq = last.seq;
    this.#sent = clock.now();
    this.#oldest = lines[frames.length]?.time ?? null;
    await this.#keepCursor();
    this.#judgeLag();
    return lines.length === batchLines || frames.length < lines.length;
  }

  /** Another database, or one that was brought back from a back-up: its lines may be others under the same numbers. */
  #follow(): void {
    const { source, log } = this.#options;
    const { created } = source.meta();
    this.#newest = source.auditHead()?.seq ?? 0;
    if (this.#database !== created || this.#newest < this.#seq) {
      if (this.#database !== null) log.warn({ from: this.#seq }, 'the audit is another one: all of it is forwarded');
      this.#seq = 0;
    }
    this.#database = created;
  }

  #framesOf(lines: readonly NumberedLine[]): Buffer[] {
    const frames: Buffer[] = [];
    let bytes = 0;
    for (const line of lines) {
      const frame = frameOf(line, this.#options.campus);
      bytes += frame.length;
      if (frames.length > 0 && bytes > batchBytes) break;
      frames.push(frame);
    }
    return frames;
  }

  #failed(error: CodedError): number {
    if (this.#error === null)
      this.#options.log.warn({ error }, 'the audit is not forwarded; it is kept and sent later');
    this.#error = error.message;
    return this.#backoff.next();
  }

  #recovered(): void {
    if (this.#error !== null) this.#options.log.info({ seq: this.#seq }, 'the audit is forwarded again');
    this.#error = null;
    this.#backoff.reset();
  }

  #judgeLag(): void {
    const { clock, log } = this.#options;
    const isLate = this.#oldest !== null && clock.now() - this.#oldest > this.#times.late;
    // What is older than our start has waited for us, not for the server.
    if (isLate && !this.#isLate && this.#error !== null) {
      log.error(
        { oldest: this.#oldest, problem: this.#error },
        'the audit has not reached the syslog server for too long',
      );
      this.#isLate = true;
    }
    if (!isLate) this.#isLate = false;
  }

  async #readCursor(): Promise<void> {
    const text = await readIfThere(this.#file);
    if (text === null) return;
    try {
      const { database, seq } = cursorSchema.parse(JSON.parse(text));
      this.#database = database;
      this.#seq = seq;
    } catch (error) {
      // Twice is better than never.
      this.#options.log.warn(
        { error: messageOf(error), file: this.#file },
        'the cursor is damaged: all is forwarded again',
      );
    }
  }

  /** A full disk must not stop what goes elsewhere: without the cursor some lines are sent twice after a restart. */
  async #keepCursor(): Promise<void> {
    try {
      const text = JSON.stringify({ version: 1, database: this.#database, seq: this.#seq });
      await writeDurably(this.#file, `${text}\n`);
    } catch (error) {
      this.#options.log.warn({ error, file: this.#file }, 'the cursor of the forwarded audit could not be kept');
    }
  }
}

/** One line of the audit as a message: its fields as structured data, and a sentence for people. */
export function frameOf(line: NumberedLine, campus: string): Buffer {
  const { seq, time, who, from, what, why, result, hash } = line;
  return syslogFrame({
    facility: auditFacility,
    severity: /refus|denied|wrong|fail|forbidden|missing|locked/i.test(`${what} ${result}`) ? 4 : 6,
    time,
    host: hostname(),
    app: 'campus-edge',
    kind: what.split(' ')[0] ?? '',
    dataId,
    data: { seq, campus, who, from, what, why, result, ...(hash === undefined ? {} : { hash }) },
    text: `${who}: ${what} -> ${result}${why === '' ? '' : ` (${why})`}`,
  });
}
