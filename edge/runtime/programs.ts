import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/* Programmes of the machine that are run as children: where they are, and what of our environment they get. */

export interface FoundProgram<Name extends string> {
  readonly program: Name;
  readonly file: string;
}

/** The first of these that is installed; null: none. `path`: the folders that are looked through; absent: PATH. */
export async function findProgram<Name extends string>(
  names: readonly Name[],
  path = process.env.PATH ?? '',
): Promise<FoundProgram<Name> | null> {
  for (const program of names) {
    for (const folder of path.split(delimiter)) {
      if (folder === '') continue;
      const file = join(folder, program);
      const isThere = await access(file, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (isThere) return { program, file };
    }
  }
  return null;
}

/** No more than a programme needs to run: no secret travels that way. */
export function programEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of ['PATH', 'HOME', 'TMPDIR']) {
    const value = process.env[name];
    if (value !== undefined) kept[name] = value;
  }
  return { ...kept, ...more };
}
