import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Case } from '#edge/domain/case.ts';
import type { Incident } from '#edge/domain/incident.ts';
import { type EvidenceKey, openEvidenceKey } from '#edge/media/case-key.ts';
import { manifestText } from '#edge/media/case-manifest.ts';
import { verifyCase } from '#edge/media/case-verify.ts';
import { writeCase } from '#edge/media/case-write.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { Backoff } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import { type CaseScope, fillCase, withoutPaths } from './case-content.ts';
import type { FootageDesk } from './footage-routes.ts';
import { createLocalTime, type LocalTime } from './local-time.ts';
import type { CampusView } from './server.ts';
import { ownVersion } from './system/describe.ts';

/** What somebody wants taken out; core writes down who and why, and keeps the footage from then on. */
export interface CaseWish {
  readonly incident: string;
  readonly cameras: readonly string[];
  readonly begin: number;
  readonly end: number;
  readonly masked: boolean;
  readonly reason: string;
  readonly who: string;
  readonly name: string;
  readonly from: string;
}

/** Cases that are made or wait for it. */
const mostWaiting = 4;
const caseSchema = z.custom<Case>((value) => typeof value === 'object' && value !== null && 'id' in value);
const filePattern = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.zip(\.part)?$/;
/** Core starts again within seconds: what took an hour to make is not thrown away for that, ms. */
const telling = { first: 500, cap: 30_000, most: 600_000 };

/** What core is told of a case. */
type Result =
  | {
      readonly ok: true;
      readonly sha256: string;
      readonly manifest: string;
      readonly bytes: number;
      readonly message: string;
    }
  | { readonly ok: false; readonly message: string };

export type CaseCampus = Pick<CampusView, 'site' | 'reader' | 'snapshotFolder' | 'data'> & {
  readonly rpc: Pick<CampusView['rpc'], 'call'>;
};

/** Makes cases, one at a time, and keeps their files (`<data>/cases`) until somebody lets them go. */
export class CaseDesk implements AsyncDisposable {
  readonly #campus: CaseCampus;
  readonly #footage: Pick<FootageDesk, 'media'>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #folder: string;
  readonly #local: LocalTime;
  readonly #ending = new AbortController();
  readonly #mine = new Set<string>();
  /** Asked for, and not yet written down by core. */
  #asked = 0;
  #last: Promise<void> = Promise.resolve();
  #key: Promise<EvidenceKey> | null = null;
  #hasTidied = false;

  constructor(campus: CaseCampus, footage: Pick<FootageDesk, 'media'>, clock: Clock, log: Log) {
    this.#campus = campus;
    this.#footage = footage;
    this.#clock = clock;
    this.#log = log;
    this.#folder = join(campus.data, 'cases');
    this.#local = createLocalTime(campus.site.campus.timeZone);
  }

  /** Throws CASE_KEY. */
  key(): Promise<EvidenceKey> {
    this.#key ??= openEvidenceKey(this.#campus.data).catch((error: unknown) => {
      this.#key = null;
      throw error;
    });
    return this.#key;
  }

  /**
   * Answers as soon as core has it written down; its file follows, with what `scope` shows of it. Throws CASE_BUSY, CASE_KEY, what core says.
   */
  async begin(wish: CaseWish, incident: Incident, scope: CaseScope): Promise<Case> {
    if (this.#mine.size + this.#asked >= mostWaiting)
      throw new CodedError('CASE_BUSY', `${mostWaiting} cases are being made: wait for one of them`);
    this.#asked++;
    try {
      await this.key();
      await this.tidy();
      const one = caseSchema.parse(await this.#campus.rpc.call('case.begin', wish));
      this.#mine.add(one.id);
      const making = this.#last.then(() => this.#make(one, incident.id, scope));
      this.#last = making.finally(() => this.#mine.delete(one.id));
      return one;
    } finally {
      this.#asked--;
    }
  }

  /** Throws CASE_NOT_FOUND, CASE_NOT_READY. */
  async open(one: Case): Promise<{ readonly handle: FileHandle; readonly bytes: number }> {
    if (one.state !== 'ready') throw new CodedError('CASE_NOT_READY', `it is ${one.state}`);
    try {
      const handle = await open(this.#file(one.id), constants.O_RDONLY | constants.O_NOFOLLOW);
      return { handle, bytes: (await handle.stat()).size };
    } catch {
      throw new CodedError('CASE_NOT_FOUND', `the file of case ${one.id} is not there any more`);
    }
  }

  /** Its file goes; that it was made, by whom and why stays. */
  async release(id: string): Promise<void> {
    await rm(this.#file(id), { force: true });
  }

  /** Once in a life of this process: what an earlier one had begun is over, or whole, and its rest goes. */
  async tidy(): Promise<void> {
    if (this.#hasTidied) return;
    this.#hasTidied = true;
    try {
      await this.#tidy();
    } catch (error) {
      this.#hasTidied = false;
      this.#log.warn({ code: codeOf(error) }, 'cases of before could not be tidied up; tried again with the next');
    }
  }

  async #tidy(): Promise<void> {
    const { reader, rpc } = this.#campus;
    for (const { id } of reader.cases({ states: ['building'], limit: 1_000 })) {
      if (!this.#mine.has(id)) await rpc.call('case.end', { id, result: await this.#found(id) });
    }
    let unknown = 0;
    for (const name of await namesIn(this.#folder)) {
      const [, id, part] = filePattern.exec(name) ?? [];
      if (id === undefined || this.#mine.has(id)) continue;
      const state = reader.case(id)?.state;
      // A database that was lost, or is that of a back-up, knows nothing of it: what was taken out as evidence is not ours to remove.
      if (part === undefined && state === undefined) unknown++;
      if (part !== undefined || state === 'failed' || state === 'released')
        await rm(join(this.#folder, name), { force: true });
    }
    if (unknown > 0)
      this.#log.warn({ unknown }, 'files of cases that this database does not know lie in the folder `cases`');
  }

  /** What an earlier process had made and could not tell: whole and signed by this campus, or not there. */
  async #found(id: string): Promise<Result> {
    const none: Result = { ok: false, message: 'the process that made it ended' };
    try {
      const { ok, manifest, sha256, bytes } = await verifyCase(this.#file(id), (await this.key()).fingerprint);
      if (!ok || manifest === null || manifest.id !== id) return none;
      const digest = createHash('sha256').update(manifestText(manifest)).digest('hex');
      return { ok: true, sha256, manifest: digest, bytes, message: aboutMissing(manifest.missing.length) };
    } catch (error) {
      if (codeOf(error) === 'CASE_UNREADABLE') return none;
      throw error;
    }
  }

  /** The bulkhead: what fails is said of this case, and the next one is made. */
  async #make(one: Case, incidentId: string, scope: CaseScope): Promise<void> {
    let result: Result;
    try {
      const { missing, ...rest } = await this.#write(one, incidentId, scope);
      result = { ok: true, ...rest, message: aboutMissing(missing) };
    } catch (error) {
      this.#log.error({ error, case: one.id }, 'a case could not be made');
      await rm(this.#file(one.id), { force: true }).catch(() => {});
      result = { ok: false, message: withoutPaths(messageOf(error)).slice(0, 1_000) };
    }
    await this.#tell(one.id, result);
  }

  /** With core away it stays as being made for a while; what then cannot be told is found by the next start of ours. */
  async #tell(id: string, result: Result): Promise<void> {
    const pauses = new Backoff({ first: telling.first, cap: telling.cap });
    const begun = this.#clock.monotonic();
    for (;;) {
      try {
        await this.#campus.rpc.call('case.end', { id, result });
        return;
      } catch (error) {
        const code = codeOf(error);
        const isAway = ['RPC_AWAY', 'RPC_BUSY', 'TIMEOUT'].includes(code) || code.startsWith('STORE_');
        const isOver = this.#ending.signal.aborted || this.#clock.monotonic() - begun > telling.most;
        if (!isAway || isOver) {
          this.#log.error({ error, case: id }, 'core does not take what came of a case');
          return;
        }
      }
      await delay(pauses.next(), undefined, { signal: this.#ending.signal }).catch(() => {}); // looked at above
    }
  }

  async #write(one: Case, incidentId: string, scope: CaseScope) {
    const { reader, site } = this.#campus;
    // As it is now: what was said while the case waited belongs to it.
    const incident = reader.incident(incidentId);
    if (incident === null) throw new CodedError('INCIDENT_NOT_FOUND', `there is no incident ${incidentId}`);
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    let missing = 0;
    const written = await writeCase(this.#file(one.id), one.time, await this.key(), async (add) => {
      const about = await fillCase(
        {
          ...{ one, incident, scope, campus: this.#campus, media: this.#footage.media, local: this.#local },
          hasMasks: (camera) =>
            (site.cameras.byCamera[camera as keyof typeof site.cameras.byCamera]?.masks.length ?? 0) > 0,
          software: ownVersion(),
          signal: this.#ending.signal,
          requireRoom: (bytes) => this.#requireRoom(bytes),
        },
        add,
      );
      missing = about.missing.length;
      return about;
    });
    return { ...written, missing };
  }

  async #requireRoom(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.#folder);
    const left = bavail * bsize - bytes;
    if (left < this.#campus.site.cameras.freeSpaceFloor)
      throw new CodedError('CASE_NO_ROOM', `there is no room on the disk for ${bytes} bytes more: let old cases go`);
  }

  #file(id: string): string {
    return join(this.#folder, `${id}.zip`);
  }

  get now(): number {
    return this.#clock.now();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#last;
  }
}

function aboutMissing(count: number): string {
  return count === 0 ? '' : `${count} things are missing in it, as its manifest says`;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
