import { codeOf, messageOf } from '#edge/runtime/errors.ts';

const words: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of this user on the disk is used up',
  EROFS: 'the disk can only be read',
  EIO: 'the disk reports errors',
  EACCES: 'the footage folder may not be written to',
  EPERM: 'the footage folder may not be written to',
  ENOENT: 'the footage folder is gone',
  EMFILE: 'this process has too many files open',
};

/** What a disk said, for programs and for people; never with a path. */
export function diskTrouble(error: unknown): { readonly code: string; readonly message: string } {
  const code = codeOf(error) || 'FAILED';
  const what = words[code] ?? `footage could not be written (${codeOf(error) || messageOf(error).slice(0, 80)})`;
  return { code, message: `${what}; tried again within a minute` };
}
