import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFfmpeg } from '#edge/media/ffmpeg-find.ts';

/* Folders, ffmpeg as the judge, and whether Debian's espeak-ng is here. */

export interface TestFolder extends Disposable {
  readonly path: string;
  file(name: string): string;
}

export function testFolder(): TestFolder {
  const path = mkdtempSync(join(tmpdir(), 'speech-'));
  return {
    path,
    file: (name) => join(path, name),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** The system's, or the bundled one. */
export async function anyFfmpeg(folder: string): Promise<string> {
  const found = await findFfmpeg({ folder });
  if (found === null) throw new Error('no ffmpeg runs here, not even the bundled one');
  return found.path;
}

export function run(path: string, args: readonly string[]): Promise<{ readonly out: string; readonly said: string }> {
  return new Promise((resolve, reject) => {
    execFile(path, [...args], { timeout: 60_000, maxBuffer: 50_000_000 }, (error, out, said) => {
      if (error === null) resolve({ out, said });
      else reject(error);
    });
  });
}

/** What EBU R 128 says of a whole file: LUFS, and the true peak in dB. */
export async function judge(ffmpeg: string, file: string): Promise<{ loudness: number; peak: number }> {
  const { said } = await run(ffmpeg, [
    '-hide_banner',
    '-nostats',
    '-i',
    file,
    '-af',
    'ebur128=peak=true',
    '-f',
    'null',
    '-',
  ]);
  const summary = said.slice(said.lastIndexOf('Summary:'));
  const number = (pattern: RegExp) => Number(pattern.exec(summary)?.[1]);
  return { loudness: number(/\bI:\s+(-?[\d.]+) LUFS/), peak: number(/Peak:\s+(-?[\d.]+) dBFS/) };
}

export function hasEspeak(): boolean {
  try {
    execFileSync('espeak-ng', ['--version'], { stdio: 'ignore', timeout: 20_000 });
    return true;
  } catch {
    console.warn('espeak-ng of the system is not here: what it speaks is not tested (apt-get install espeak-ng)');
    return false;
  }
}
