import { mkdir, mkdtemp, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#edge/runtime/clock.ts';
import { syncFolder } from '#edge/runtime/durable-file.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import type { MadeClip } from '#edge/speech/clip-make.ts';

/*
 * The sounds of clips: `<data>/clips/<sha256>.wav`. A file is named by its content, so it never changes; it is there, durably, before a clip says
 * its name, and stays an hour after the last clip that did: it may be playing.
 */

export const mostClipBytes = 4_000_000_000;
/** For the campus that goes on. */
const reserve = 500_000_000;
const stays = 3_600_000;
const fileName = /^[0-9a-f]{64}\.wav$/;
const workName = /^\.work-/;

export interface WorkFolder extends AsyncDisposable {
  readonly path: string;
}

export class ClipShelf {
  readonly folder: string;
  readonly #clock: Clock;
  /** Put, and named by no clip yet. */
  readonly #fresh = new Map<string, number>();
  /** Files that no clip names, and since when we know; of those on the disk only. */
  readonly #unnamed = new Map<string, number>();

  constructor(dataFolder: string, clock: Clock) {
    this.folder = join(dataFolder, 'clips');
    this.#clock = clock;
  }

  /** What a crash left half made. */
  async tidyWork(): Promise<void> {
    for (const name of await this.#list()) {
      if (workName.test(name)) await rm(join(this.folder, name), { recursive: true, force: true });
    }
  }

  /** Where a clip is made; gone with what is in it when it is disposed. */
  async work(): Promise<WorkFolder> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const path = await mkdtemp(join(this.folder, '.work-'));
    return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
  }

  /** Throws CLIPS_FULL before anything is made. */
  async requireRoom(bytes: number): Promise<void> {
    let used = 0;
    for (const name of await this.#list())
      used += (await stat(join(this.folder, name)).catch(() => ({ size: 0 }))).size;
    if (used + bytes > mostClipBytes) {
      throw new CodedError('CLIPS_FULL', `all clips may take ${mostClipBytes / 1e9} GB: remove one first`);
    }
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const { bavail, bsize } = await statfs(this.folder);
    if (bavail * bsize < bytes + reserve) throw new CodedError('CLIPS_FULL', 'the disk of this box is almost full');
  }

  /** Keeps a clip that was made, until `settle`; answers its name. */
  async put({ file, sha256, bytes }: MadeClip): Promise<string> {
    await this.requireRoom(bytes);
    const name = `${sha256}.wav`;
    this.#fresh.set(name, (this.#fresh.get(name) ?? 0) + 1);
    try {
      await using handle = await open(file, 'r');
      await handle.sync();
      await rename(file, join(this.folder, name));
      await syncFolder(this.folder);
      return name;
    } catch (error) {
      this.settle(name);
      throw error;
    }
  }

  /** A clip names it now, or nobody will. */
  settle(file: string): void {
    const left = (this.#fresh.get(file) ?? 1) - 1;
    if (left > 0) this.#fresh.set(file, left);
    else this.#fresh.delete(file);
  }

  async has(file: string): Promise<boolean> {
    return stat(this.path(file)).then(
      (found) => found.isFile(),
      () => false,
    );
  }

  /** The name comes from a document: it is checked before it becomes a path. */
  path(file: string): string {
    if (!fileName.test(file)) throw new CodedError('CLIP_NOT_FOUND', 'there is no such sound');
    return join(this.folder, file);
  }

  /** Removes what no clip has named for an hour. */
  async sweep(named: ReadonlySet<string>): Promise<void> {
    const now = this.#clock.monotonic();
    const files = new Set((await this.#list()).filter((name) => fileName.test(name)));
    for (const file of this.#unnamed.keys()) if (!files.has(file) || named.has(file)) this.#unnamed.delete(file);
    for (const file of files) {
      if (named.has(file) || this.#fresh.has(file)) continue;
      const since = this.#unnamed.get(file) ?? now;
      this.#unnamed.set(file, since);
      if (now - since < stays) continue;
      await rm(join(this.folder, file), { force: true });
      this.#unnamed.delete(file);
    }
  }

  async #list(): Promise<string[]> {
    try {
      return await readdir(this.folder);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  }
}
