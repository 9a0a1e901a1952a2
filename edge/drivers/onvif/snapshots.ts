import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HappeningId } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { DigestAuth, parseChallenges } from '#edge/runtime/http-digest.ts';
import type { Credentials } from './config.ts';
import type { PasswordTries } from './password-tries.ts';
import type { OnvifTimings } from './timings.ts';
import type { Endpoint, HttpReply } from './transport.ts';
import { exchange } from './transport.ts';
import { Trouble } from './trouble.ts';

const pictureCap = 4_000_000;
/** What one camera may fill of the disk, bytes in ms: a picture of 1 MB every two seconds. Old ones are tidied each ten minutes. */
const mostInSpan = 300_000_000;
const span = 600_000;

export interface SnapshotsOptions {
  readonly folder: string;
  readonly endpoint: Endpoint;
  readonly port: number | undefined;
  readonly clock: Clock;
  readonly timings: OnvifTimings;
  readonly tries: PasswordTries;
  readonly signal: AbortSignal;
  readonly count: (outcome: string) => void;
  /** Called once when pictures stop coming and once when they come again. */
  readonly onTrouble: (message: string | null) => void;
}

/** A whole JPEG: starts with SOI and ends with EOI, perhaps padded (some cameras fill up to a block). */
export function isWholeJpeg(body: Buffer): boolean {
  if (body.length < 100 || body[0] !== 0xff || body[1] !== 0xd8 || body[2] !== 0xff) return false;
  return body.subarray(-128).includes(Buffer.from([0xff, 0xd9]));
}

/** A picture of 32 MP is the largest that cameras take; a small file may say that it is 4,000 MP, and whoever opens it has no memory left. */
const mostPixels = 64_000_000;

/** Width times height as the frame header says; NaN: it has none. ITU-T T.81, B.1.1.3 and B.2.2. */
export function pixelsOf(jpeg: Buffer): number {
  for (let at = 2; at + 9 < jpeg.length && jpeg[at] === 0xff; ) {
    const marker = jpeg[at + 1] ?? 0;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return jpeg.readUInt16BE(at + 5) * jpeg.readUInt16BE(at + 7);
    // Padding before a marker.
    at += marker === 0xff ? 1 : 2 + jpeg.readUInt16BE(at + 2);
  }
  return Number.NaN;
}

/**
 * Pictures of events. The path is decided when the event is: the event never waits for the picture, and a reader that
 * finds no file shows "no picture". At most one request at a time and one a second; an event within that second shares
 * the picture of the one before it. The file appears whole (written aside, then renamed) or not at all.
 */
export class Snapshots {
  readonly #options: SnapshotsOptions;
  readonly #digest = new DigestAuth();
  /** undefined: the camera has not said yet where its pictures are. */
  #source: { path: string; credentials: Credentials } | null | undefined;
  readonly #known = Promise.withResolvers<void>();
  /** `failure` is what kept it from being taken, null when it was. */
  #last: { started: number; path: string; failure: Promise<Error | null> } | null = null;
  #running: Promise<void> | null = null;
  /** Monotonic: until then the password is not shown again after a refusal. */
  #restUntil = 0;
  #basic = false;
  #troubled = false;
  #written = { since: Number.NEGATIVE_INFINITY, bytes: 0 };

  constructor(options: SnapshotsOptions) {
    this.#options = options;
  }

  /** Where the picture is (path and query), or null for a camera without pictures. */
  use(path: string | null, credentials: Credentials): void {
    const changed = this.#source?.credentials.version !== credentials.version;
    this.#source = path === null ? null : { path, credentials };
    this.#known.resolve();
    if (!changed) return;
    this.#restUntil = 0;
    this.#basic = false;
  }

  /** Starts a picture for this event and says where it will be, relative to the folder; undefined when there is none. */
  take(event: HappeningId): string | undefined {
    const { clock, timings, signal, count } = this.#options;
    const source = this.#source;
    const now = clock.monotonic();
    if (!source || now < this.#restUntil || signal.aborted) return undefined;
    if (this.#last && (this.#running || now - this.#last.started < timings.snapshotGap)) {
      count('snapshot-shared');
      return this.#last.path;
    }
    const path = `${new Date(clock.now()).toISOString().slice(0, 10)}/${event}.jpg`;
    const failure = this.#save(source, path);
    this.#last = { started: now, path, failure };
    this.#running = failure.then(() => {
      this.#running = null;
    });
    return path;
  }

  /**
   * A picture that somebody asked for: where it is, once it is there. `patience` bounds how long a camera that has just been
   * opened is waited for. Throws Trouble with what kept it from being taken.
   */
  async press(event: HappeningId, patience: AbortSignal): Promise<string> {
    const given = new Promise<void>((resolve) => patience.addEventListener('abort', () => resolve(), { once: true }));
    if (this.#source === undefined && !patience.aborted) await Promise.race([this.#known.promise, given]);
    const path = this.take(event);
    if (path === undefined || this.#last === null) throw new Trouble('unreachable', this.#whyNot());
    const failure = await this.#last.failure;
    if (failure !== null) throw failure;
    return path;
  }

  #whyNot(): string {
    if (this.#source === undefined) return 'the camera has not answered yet';
    if (this.#source === null) return 'the camera offers no pictures';
    return 'the camera refuses the user name or password for pictures';
  }

  /** Resolves when no request is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** A bulkhead: a picture that fails is counted and reported, and the event stands without it. */
  async #save(source: { path: string; credentials: Credentials }, path: string): Promise<Error | null> {
    const { folder, count, onTrouble, signal } = this.#options;
    const target = join(folder, path);
    const aside = `${target}.part`;
    try {
      const picture = await this.#fetch(source);
      this.#spend(picture.length);
      await mkdir(join(target, '..'), { recursive: true });
      await writeFile(aside, picture, { signal });
      await rename(aside, target);
      count('snapshot');
      if (this.#troubled) onTrouble(null);
      this.#troubled = false;
      return null;
    } catch (error) {
      await rm(aside, { force: true });
      const failure = error instanceof Error ? error : new Trouble('fault', messageOf(error));
      if (signal.aborted) return failure;
      count('snapshot-failed');
      if (!this.#troubled) onTrouble(messageOf(error));
      this.#troubled = true;
      return failure;
    }
  }

  #spend(bytes: number): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#written.since > span) this.#written = { since: now, bytes: 0 };
    if (this.#written.bytes + bytes > mostInSpan) {
      throw new Trouble(
        'too-large',
        'camera sends more and larger pictures than there is room for: not kept for some minutes',
      );
    }
    this.#written.bytes += bytes;
  }

  /**
   * Asked openly first, every time: a nonce is never used twice here, so that a refusal is one, and costs one try.
   */
  async #fetch({ path, credentials }: { path: string; credentials: Credentials }): Promise<Buffer> {
    const { clock, timings, tries, count, signal } = this.#options;
    const deadline = clock.monotonic() + timings.snapshot;
    this.#digest.forget();
    for (let round = 0; round < 3; round++) {
      const authorization = round === 0 ? null : this.#authorization(credentials, path);
      const send = () => this.#get(path, authorization, deadline - clock.monotonic());
      if (authorization === null) {
        const reply = await send();
        if (reply.status !== 401) return this.#accept(reply);
        if (this.#digest.learn(reply.challenges) === 'none') this.#offerBasic(reply);
        continue;
      }
      // Others may just be finding out: a picture waits for its turn as long as there is time for it.
      await tries.turn(
        AbortSignal.any([signal, AbortSignal.timeout(Math.max(1, Math.ceil(deadline - clock.monotonic())))]),
      );
      if (!tries.mayTry) throw new Trouble('auth', 'the password is in doubt: not shown for a picture');
      let stale = false;
      const reply = await tries.spend('picture', send, ({ status, challenges }) => {
        if (status !== 401) return 'accepted';
        stale = this.#digest.learn(challenges) === 'stale';
        return stale ? 'stale' : 'refused';
      });
      if (reply.status !== 401) return this.#accept(reply);
      if (!stale) break;
    }
    count('snapshot-refused');
    this.#restUntil = clock.monotonic() + timings.held;
    throw new Trouble('auth', 'camera refuses the user name or password for the picture');
  }

  /** Basic sends the password itself: only where TLS hides it. */
  #offerBasic(reply: HttpReply): void {
    const basic = parseChallenges(reply.challenges).some((challenge) => challenge.scheme === 'basic');
    if (!basic) throw new Trouble('auth', 'camera refuses the picture without saying how to log in');
    if (this.#options.endpoint.tls === undefined) {
      throw new Trouble(
        'auth',
        'camera wants the password in clear for the picture (HTTP Basic without TLS): not sent',
      );
    }
    this.#basic = true;
  }

  #authorization(user: Credentials, path: string): string | null {
    if (this.#basic) return `Basic ${Buffer.from(`${user.username}:${user.password}`, 'utf8').toString('base64')}`;
    return this.#digest.header(user, 'GET', path, '');
  }

  #get(path: string, authorization: string | null, timeout: number): Promise<HttpReply> {
    const { endpoint, port, signal } = this.#options;
    return exchange(endpoint, {
      method: 'GET',
      path,
      ...(port === undefined ? {} : { port }),
      headers: { accept: 'image/jpeg', ...(authorization === null ? {} : { authorization }) },
      timeout: Math.max(1, timeout),
      cap: pictureCap,
      signal,
      what: 'the picture',
    });
  }

  #accept(reply: HttpReply): Buffer {
    if (reply.status !== 200) throw new Trouble('http', `camera answers HTTP ${reply.status} instead of a picture`);
    if (!isWholeJpeg(reply.body)) throw new Trouble('broken-xml', 'camera sends something that is not a whole JPEG');
    const pixels = pixelsOf(reply.body);
    if (!(pixels <= mostPixels)) throw new Trouble('broken-xml', 'camera sends a picture of a size that no camera has');
    return reply.body;
  }
}
