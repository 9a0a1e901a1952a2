import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Case } from '#edge/domain/case.ts';
import type { Incident } from '#edge/domain/incident.ts';
import { type EvidenceKey, openEvidenceKey } from '#edge/media/case-key.ts';
import { writeCase } from '#edge/media/case-write.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import { fillCase } from './case-content.ts';
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
const filePattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.zip$/;

/** Makes cases, one at a time, and keeps their files (`<data>/cases`) until somebody lets them go. */
export class CaseDesk implements AsyncDisposable {
  readonly #campus: CampusView;
  readonly #footage: FootageDesk;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #folder: string;
  readonly #local: LocalTime;
  readonly #ending = new AbortController();
  readonly #mine = new Set<string>();
  #last: Promise<void> = Promise.resolve();
  #key: Promise<EvidenceKey> | null = null;
  #hasTidied = false;

  constructor(campus: CampusView, footage: FootageDesk, clock: Clock, log: Log) {
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

  /** Answers as soon as core has it written down; its file follows. Throws CASE_BUSY, CASE_KEY, what core says. */
  async begin(wish: CaseWish, incident: Incident): Promise<Case> {
    if (this.#mine.size >= mostWaiting)
      throw new CodedError('CASE_BUSY', `${mostWaiting} cases are being made: wait for one of them`);
    await this.key();
    await this.tidy();
    const one = caseSchema.parse(await this.#campus.rpc.call('case.begin', wish));
    this.#mine.add(one.id);
    const making = this.#last.then(() => this.#make(one, incident.id));
    this.#last = making.finally(() => this.#mine.delete(one.id));
    return one;
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

  /** Once in a life of this process: what an earlier one had begun is over, and what belongs to no case goes. */
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
      if (this.#mine.has(id)) continue;
      await rpc.call('case.end', { id, result: { ok: false, message: 'the process that made it ended' } });
    }
    for (const name of await namesIn(this.#folder)) {
      const id = name.replace(/\.zip(\.part)?$/, '');
      const isKept = filePattern.test(name) && ['ready', 'building'].includes(reader.case(id)?.state ?? '');
      if (!isKept && !this.#mine.has(id)) await rm(join(this.#folder, name), { force: true });
    }
  }

  /** The bulkhead: what fails is said of this case, and the next one is made. */
  async #make(one: Case, incidentId: string): Promise<void> {
    const { rpc } = this.#campus;
    try {
      const written = await this.#write(one, incidentId);
      const { missing, ...rest } = written;
      const message = missing === 0 ? '' : `${missing} things are missing in it, as its manifest says`;
      await rpc.call('case.end', { id: one.id, result: { ok: true, ...rest, message } });
    } catch (error) {
      this.#log.error({ error, case: one.id }, 'a case could not be made');
      await rm(this.#file(one.id), { force: true }).catch(() => {});
      const message = messageOf(error)
        .replaceAll(/'?\/\S+/g, '')
        .slice(0, 1_000);
      // With core away too it stays as being made, and the next start of ours says that it is not.
      await rpc.call('case.end', { id: one.id, result: { ok: false, message } }).catch(() => {});
    }
  }

  async #write(one: Case, incidentId: string) {
    const { reader, site } = this.#campus;
    // As it is now: what was said while the case waited belongs to it.
    const incident = reader.incident(incidentId);
    if (incident === null) throw new CodedError('INCIDENT_NOT_FOUND', `there is no incident ${incidentId}`);
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    let missing = 0;
    const written = await writeCase(this.#file(one.id), one.time, await this.key(), async (add) => {
      const about = await fillCase(
        {
          ...{ one, incident, campus: this.#campus, media: this.#footage.media, local: this.#local },
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

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
