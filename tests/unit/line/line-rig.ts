import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Device } from '#edge/domain/device.ts';
import { lineDriver } from '#edge/drivers/line/driver.ts';
import { openStudio } from '#edge/drivers/sound/studio.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { loadProfile } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { writeClips } from '#edge/simulators/clips/generate.ts';
import { speakerDevice, temporaryFolder } from '../broadcast/speakers.ts';
import { writeTone } from './tone-clip.ts';

export const hasAplay = spawnSync('aplay', ['--version'], { timeout: 10_000 }).status === 0;
if (!hasAplay)
  console.warn('SKIPPED: aplay is not installed, so no ALSA judged our samples (apt-get install alsa-utils)');
export const hasFfmpegAlsa =
  hasAplay &&
  /\balsa\b/.test(
    spawnSync('ffmpeg', ['-hide_banner', '-devices'], { timeout: 10_000, encoding: 'utf8' }).stdout ?? '',
  );
if (!hasFfmpegAlsa)
  console.warn('SKIPPED: ffmpeg without ALSA, so playing without aplay was not tried (apt-get install ffmpeg)');

const profiles = new URL('../../../device-profiles', import.meta.url).pathname;
const profile = await loadProfile(profiles, 'speaker/line');
const polls = { fast: 2_000, normal: 15_000, slow: 300_000 };

/** ALSA itself as the card: its `file` plugin writes what would be heard, every open appends. */
export async function lineRig(probeEvery: number | null = null, path?: string) {
  const folder = await temporaryFolder();
  await writeClips(folder.path);
  await writeTone(join(folder.path, 'low.wav'), 500, 20);
  await writeTone(join(folder.path, 'high.wav'), 1_500, 20);
  await writeTone(join(folder.path, 'short.wav'), 800, 1);
  const heardFile = join(folder.path, 'heard.raw');
  const config = join(folder.path, 'asound.conf');
  const card = {
    present: () =>
      writeFile(
        config,
        `</usr/share/alsa/alsa.conf>\npcm.hall { type plug slave.pcm { type file file "| cat >> ${heardFile}" format raw slave { pcm { type null } } } }\n`,
      ),
    /** As when it is unplugged. */
    gone: () => writeFile(config, '</usr/share/alsa/alsa.conf>\n'),
  };
  await card.present();
  const clips = {
    ...{ evacuation: { file: 'evacuation.wav', loop: true }, bell: { file: 'class-bell.wav', loop: false } },
    ...{ low: { file: 'low.wav', loop: false }, high: { file: 'high.wav', loop: false } },
    ...{ short: { file: 'short.wav', loop: false } },
  };
  const studio = openStudio({ clips, folder: folder.path, clock: systemClock });
  const driver = lineDriver({ studio, clock: systemClock, probeEvery, ...(path !== undefined && { path }) });
  const address = { device: 'hall', config };
  const device: Device = { ...speakerDevice(address), protocol: 'line', points: pointsOf(profile, polls) };
  return {
    ...{ folder: folder.path, card, studio, driver, address, device },
    /** 16-bit samples at 48 kHz that the card got. */
    async heard(): Promise<Int16Array> {
      const bytes = await readFile(heardFile).catch(() => Buffer.alloc(0));
      const whole = Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 2)));
      return new Int16Array(whole.buffer, whole.byteOffset, whole.length / 2);
    },
    /** Ends the players of this card, known by its configuration, as the kernel does when a card goes. */
    killPlayers(): void {
      for (const pid of playersOf(config)) process.kill(pid, 'SIGKILL');
    },
    async [Symbol.asyncDispose]() {
      await driver[Symbol.asyncDispose]();
      await studio[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Children of this process whose environment names the configuration. */
function playersOf(config: string): number[] {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').split(' ');
  return children.map(Number).filter((pid) => {
    if (pid <= 1) return false;
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`ALSA_CONFIG_PATH=${config}`);
  });
}

/** How much of a tone is in these samples, as an amplitude (Goertzel). */
export function toneIn(samples: Int16Array, hertz: number): number {
  const step = 2 * Math.cos((2 * Math.PI * hertz) / 48_000);
  let [before, last] = [0, 0];
  for (const sample of samples) [before, last] = [last, sample + step * last - before];
  const power = before * before + last * last - step * before * last;
  return (2 * Math.sqrt(Math.max(0, power))) / Math.max(1, samples.length);
}
