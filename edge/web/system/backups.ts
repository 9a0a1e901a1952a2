import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { copyByCore, makeBackup } from '#edge/runtime/backup.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import type { CampusView } from '../server.ts';
import type { BackupView } from '../system-schemas.ts';

/* Back-ups that were asked for in the console: `<data>/backups`, one at a time, the newest few. */

const kept = 5;
const namePattern = /^campus-\d{10}-\d{8}T\d{6,9}Z\.tar\.gz$/;

export class Backups {
  readonly #campus: Pick<CampusView, 'site' | 'rpc' | 'data'>;
  readonly #folder: string;
  readonly #clock: Clock;
  #isBusy = false;

  constructor(campus: Pick<CampusView, 'site' | 'rpc' | 'data'>, clock: Clock) {
    this.#campus = campus;
    this.#folder = join(campus.data, 'backups');
    this.#clock = clock;
  }

  /** Newest first. */
  async list(): Promise<BackupView[]> {
    const found: BackupView[] = [];
    for (const name of await this.#names()) {
      const file = await lstat(join(this.#folder, name)).catch(() => null);
      if (file?.isFile()) found.push({ name, time: Math.round(file.mtimeMs), bytes: file.size });
    }
    return found.toSorted((a, b) => b.name.localeCompare(a.name));
  }

  /** Throws BACKUP_BUSY, and what `makeBackup` throws. Makes room for itself only once it is made. */
  async make(): Promise<BackupView> {
    if (this.#isBusy) throw new CodedError('BACKUP_BUSY', 'a back-up is being made already');
    this.#isBusy = true;
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      const { site, rpc, data } = this.#campus;
      const stamp = new Date(this.#clock.now()).toISOString().replaceAll(/[-:.]/g, '');
      const name = `campus-${site.campus.id}-${stamp}.tar.gz`;
      const { time, bytes } = await makeBackup({
        data,
        file: join(this.#folder, name),
        siteFile: null,
        copyDatabase: copyByCore(rpc),
        pictures: false,
        clock: this.#clock,
      });
      for (const old of (await this.list()).slice(kept)) await rm(join(this.#folder, old.name), { force: true });
      return { name, time, bytes };
    } finally {
      this.#isBusy = false;
    }
  }

  /** Throws BACKUP_NOT_FOUND, also for what is no name of a back-up. */
  async open(name: string): Promise<{ readonly handle: FileHandle; readonly bytes: number }> {
    const missing = new CodedError('BACKUP_NOT_FOUND', 'there is no such back-up');
    if (!namePattern.test(name)) throw missing;
    try {
      const handle = await open(join(this.#folder, name), constants.O_RDONLY | constants.O_NOFOLLOW);
      return { handle, bytes: (await handle.stat()).size };
    } catch {
      throw missing;
    }
  }

  async #names(): Promise<string[]> {
    try {
      return (await readdir(this.#folder)).filter((name) => namePattern.test(name));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  }
}
