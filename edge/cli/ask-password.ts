import type { ReadStream } from 'node:tty';
import { CodedError } from '#edge/runtime/errors.ts';
import { usage } from './command.ts';

const enter = new Set(['\r', '\n', '\u0004']);
const longest = 1_000;

/** One line typed without an echo. Throws USAGE where nobody can type, CANCELLED on Ctrl-C. */
export function askPassword(prompt: string, stdin: ReadStream): Promise<string> {
  if (!stdin.isTTY) throw usage('no terminal to ask on: pipe the password in, with --password-stdin');
  // Before it is asked: who types at once is not shown either.
  stdin.setRawMode(true);
  process.stderr.write(prompt);
  stdin.setEncoding('utf8');
  stdin.resume();
  return new Promise((resolve, reject) => {
    let text: string[] = [];
    const end = (): void => {
      stdin.off('data', hear);
      stdin.setRawMode(false);
      stdin.pause();
      process.stderr.write('\n');
    };
    const hear = (chunk: string): void => {
      for (const key of chunk) {
        if (enter.has(key)) {
          end();
          resolve(text.join(''));
          return;
        }
        if (key === '\u0003') {
          end();
          reject(new CodedError('CANCELLED', 'cancelled'));
          return;
        }
        if (key === '\u007f' || key === '\b') text = text.slice(0, -1);
        else if (key >= ' ' && text.length < longest) text.push(key);
      }
    };
    stdin.on('data', hear);
  });
}
