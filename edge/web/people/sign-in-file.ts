import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';

/*
 * What must outlive a restart of the web process and is worth no row of the store: which accounts are locked, and which
 * second-factor codes were used. `<data>/sign-in.json`, as many entries as there are accounts.
 */

const schema = z.strictObject({
  locks: z.record(
    z.string(),
    z.strictObject({
      count: z.int(),
      until: z.number(),
      last: z.number(),
      /** Revision of the account when it was locked: any later one lifts the lock. */
      rev: z.int(),
      /** Address of the last try. */
      from: z.string(),
    }),
  ),
  /** The latest 30 s step of which a code was used. */
  usedSteps: z.record(z.string(), z.int()),
});

export type SignInState = z.infer<typeof schema>;

const mostEntries = 5_000;

export class SignInFile {
  readonly #path: string;
  readonly #log: Log;
  readonly state: SignInState;

  constructor(dataFolder: string, log: Log) {
    this.#path = join(dataFolder, 'sign-in.json');
    this.#log = log;
    this.state = this.#read();
  }

  /** On disk when it returns; a disk that is full costs the memory of it, not the sign-in. */
  save(): void {
    bound(this.state.locks);
    bound(this.state.usedSteps);
    const draft = `${this.#path}.${randomBytes(4).toString('hex')}.tmp`;
    try {
      const file = openSync(draft, 'wx', 0o600);
      writeSync(file, JSON.stringify(this.state));
      fsyncSync(file);
      closeSync(file);
      renameSync(draft, this.#path);
    } catch (error) {
      rmSync(draft, { force: true });
      this.#log.error({ problem: messageOf(error) }, 'locked accounts are forgotten at the next restart');
    }
  }

  #read(): SignInState {
    try {
      return schema.parse(JSON.parse(readFileSync(this.#path, 'utf8')));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') {
        this.#log.error({ problem: messageOf(error) }, 'sign-in.json cannot be read; a new one is begun');
      }
      return { locks: {}, usedSteps: {} };
    }
  }
}

/** Oldest first, as they were put in. */
function bound(entries: Record<string, unknown>): void {
  const keys = Object.keys(entries);
  for (const key of keys.slice(0, Math.max(0, keys.length - mostEntries))) delete entries[key];
}
