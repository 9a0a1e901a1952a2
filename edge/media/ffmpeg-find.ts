import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, chmod, copyFile, mkdir, rename, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/* Which ffmpeg there is. The system's is kept safe by the distribution; the one in node_modules is of 2018 and may see loopback only. */

export interface Ffmpeg {
  readonly path: string;
  /** As it says itself: `5.1.9-0+deb12u1`, `N-47683-g0e8eb07980-static`. */
  readonly version: string;
  /** Below 5.0: it gets no security fixes, so it may not talk to a network. */
  readonly isOld: boolean;
}

export interface FindOptions {
  /** Where an executable copy of the bundled programme may be put. */
  readonly folder: string;
  /** Default: `ffmpeg`, looked for in PATH. */
  readonly program?: string;
  /** The file of the bundled programme; null: there is none. Default: where npm put it. */
  readonly bundled?: string | null;
}

const answerTime = 10_000;
const oldestGood = 5;
/** FFmpeg 5.0 came in January 2022; builds from git say no number, but the year of their sources. */
const firstGoodYear = 2022;

/** The system's ffmpeg if it is new enough, else the bundled one, else the system's old one; null: none runs here. */
export async function findFfmpeg({ folder, program = 'ffmpeg', bundled }: FindOptions): Promise<Ffmpeg | null> {
  const system = await ask(program);
  if (system !== null && !system.isOld) return system;
  const file = bundled === undefined ? bundledFile() : bundled;
  const own = file === null ? null : await askExecutable(file, folder);
  return own ?? system;
}

/** What the first lines of `ffmpeg -version` say; null: it is no ffmpeg. */
export function readVersion(text: string): Pick<Ffmpeg, 'version' | 'isOld'> | null {
  const version = /^ffmpeg version (\S+)/.exec(text)?.[1];
  if (version === undefined) return null;
  const major = /^n?(\d{1,3})\.\d/.exec(version)?.[1];
  const year = /Copyright \(c\) \d{4}-(\d{4})/.exec(text)?.[1];
  const isOld = major === undefined ? !(Number(year) >= firstGoodYear) : Number(major) < oldestGood;
  return { version: version.slice(0, 100), isOld };
}

function ask(path: string): Promise<Ffmpeg | null> {
  return new Promise((resolve) => {
    execFile(
      path,
      ['-version'],
      { timeout: answerTime, killSignal: 'SIGKILL', maxBuffer: 1_000_000 },
      (error, stdout) => {
        const found = error === null ? readVersion(stdout) : null;
        resolve(found === null ? null : { path, ...found });
      },
    );
  });
}

/** Where `@ffmpeg-installer/<platform>` has its programme; its own index.js would also look, and throws where there is none. */
function bundledFile(): string | null {
  const name = process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg';
  try {
    return createRequire(import.meta.url).resolve(`@ffmpeg-installer/${process.platform}-${process.arch}/${name}`);
  } catch {
    return null; // not installed, or not made for this machine
  }
}

/** npm runs no install scripts here, so the file may not be executable; the place it lies in need not be ours to change. */
async function askExecutable(file: string, folder: string): Promise<Ffmpeg | null> {
  const asIs = (await isExecutable(file)) ? await ask(file) : null;
  if (asIs !== null) return asIs;
  const copy = join(folder, 'ffmpeg-bundled');
  try {
    if ((await sizeOf(copy)) !== (await sizeOf(file))) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const part = `${copy}.${process.pid}.part`;
      await copyFile(file, part);
      await chmod(part, 0o700);
      await rename(part, copy);
    }
  } catch {
    return null; // the disk is full or may not be written: as if there were none, and health says so
  }
  return ask(copy);
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function sizeOf(file: string): Promise<number | null> {
  try {
    return (await stat(file)).size;
  } catch {
    return null;
  }
}
