import { readFileSync, writeFileSync } from 'node:fs';
import startEspeak from 'espeak-ng';

/*
 * The command `espeak-ng` with the options that espeak.ts uses, over WebAssembly. It has a file system of its own: the text is put into it, the
 * sound taken out of it.
 */

const inside = { text: '/text', sound: '/sound.wav' } as const;
const lines: string[] = [];
const problems: string[] = [];

/** `--stdin` becomes a file, and so does what is written. */
function translate(args: readonly string[]): { readonly args: string[]; readonly target: string | null } {
  const at = args.indexOf('-w');
  const target = at === -1 ? null : (args[at + 1] ?? null);
  const inner = args.flatMap((arg, i) => {
    if (arg === '--stdin') return ['-f', inside.text];
    return at !== -1 && i === at + 1 ? [inside.sound] : [arg];
  });
  return { args: inner, target };
}

const { args, target } = translate(process.argv.slice(2));
const text = readFileSync(0, 'utf8');
const espeak = await startEspeak({
  arguments: args,
  print: (line) => lines.push(line),
  printErr: (line) => problems.push(line),
  preRun: [(module) => module.FS.writeFile(inside.text, text)],
});
process.stderr.write(problems.map((line) => `${line}\n`).join(''));
process.stdout.write(lines.map((line) => `${line}\n`).join(''));
if (problems.some((line) => line.startsWith('Error'))) process.exitCode = 1;
if (target !== null) writeFileSync(target, espeak.FS.readFile(inside.sound), { mode: 0o600 });
