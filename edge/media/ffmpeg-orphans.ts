import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';

/*
 * When this process is killed, its ffmpeg children end by themselves: the pipe they write to breaks at the next picture, and a camera that
 * sends none runs into its timeout. One that hangs all the same would hold a session of its camera for ever, so the next start ends it.
 */

/** argv[0] of every ffmpeg of this data folder; nobody else's process has it. */
export function ffmpegTitle(data: string): string {
  return `campus-ffmpeg-${createHash('sha256').update(data).digest('hex').slice(0, 16)}`;
}

/** Ends what an earlier run of this data folder left behind; answers with how many. Linux only: elsewhere 0. */
export async function endOrphans(data: string): Promise<number> {
  const title = ffmpegTitle(data);
  const pids = await readdir('/proc').catch(() => []);
  let ended = 0;
  for (const pid of pids) {
    if (!/^\d+$/.test(pid)) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''); // gone meanwhile
    if (line.split('\0')[0] !== title) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
      ended++;
    } catch {
      // gone meanwhile
    }
  }
  return ended;
}
