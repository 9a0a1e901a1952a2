import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { leftover, writeDurably } from '#edge/runtime/durable-file.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';

/*
 * The pictures of plans: `<data>/plans/<sha256>.<png|svg>`. A file is named by its content, so it never changes; it is
 * there, durably, before a plan says its name.
 */

export const mostPlans = 100;
export const mostPlanBytes = 200_000_000;
const fileName = /^[0-9a-f]{64}\.(png|svg)$/;

export class PlanShelf {
  readonly #folder: string;
  /** Put, and named by no plan yet. */
  readonly #fresh = new Map<string, number>();

  constructor(dataFolder: string) {
    this.#folder = join(dataFolder, 'plans');
  }

  /** Writes a picture that was judged, and keeps it until `settle`. Throws PLANS_FULL, or what the disk says. */
  async put(bytes: Buffer, format: 'png' | 'svg'): Promise<string> {
    const file = `${createHash('sha256').update(bytes).digest('hex')}.${format}`;
    this.#fresh.set(file, (this.#fresh.get(file) ?? 0) + 1);
    try {
      await this.#write(file, bytes);
    } catch (error) {
      this.settle(file);
      throw error;
    }
    return file;
  }

  /** A plan names it now, or nobody will. */
  settle(file: string): void {
    const left = (this.#fresh.get(file) ?? 1) - 1;
    if (left > 0) this.#fresh.set(file, left);
    else this.#fresh.delete(file);
  }

  /** null when it is not there. The name comes from a document: it is checked before it becomes a path. */
  async open(file: string): Promise<FileHandle | null> {
    if (!fileName.test(file)) return null;
    try {
      return await open(join(this.#folder, file));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return null;
      throw error;
    }
  }

  /** Removes what no plan names and what a crash left half written; with `only`, of these files. */
  async sweep(named: ReadonlySet<string>, only?: readonly string[]): Promise<void> {
    for (const file of only ?? (await this.#list())) {
      const isUnnamed = fileName.test(file) && !named.has(file) && !this.#fresh.has(file);
      if (isUnnamed || (leftover.test(file) && this.#fresh.size === 0))
        await rm(join(this.#folder, file), { force: true });
    }
  }

  async #write(file: string, bytes: Buffer): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await this.#requireRoom(file, bytes.length);
    await writeDurably(join(this.#folder, file), bytes);
  }

  async #requireRoom(file: string, bytes: number): Promise<void> {
    let used = 0;
    for (const other of await this.#list()) {
      if (other === file) continue;
      used += (await stat(join(this.#folder, other)).catch(() => ({ size: 0 }))).size;
    }
    if (used + bytes <= mostPlanBytes) return;
    throw new CodedError(
      'PLANS_FULL',
      `the pictures of all plans may take ${mostPlanBytes / 1e6} MB: remove one first`,
    );
  }

  async #list(): Promise<string[]> {
    try {
      return await readdir(this.#folder);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  }
}
