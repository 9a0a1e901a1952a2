import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import alawmulaw from 'alawmulaw';

/*
 * Writes the demo's clips beside this file: `node edge/run.mjs edge/simulators/clips/generate.ts`.
 * Three WAV kinds on purpose (A-law 8 kHz, PCM 16 kHz, PCM stereo 11.025 kHz), so that the demo runs the decoder's paths.
 */

type Sound = (second: number) => number;

/** Alternates sounds; the phase of each starts at 0, as `play` gives seconds since its own start. */
function inTurn(parts: readonly { readonly seconds: number; readonly play: Sound }[]): {
  seconds: number;
  play: Sound;
} {
  const seconds = parts.reduce((sum, part) => sum + part.seconds, 0);
  const play: Sound = (t) => {
    let start = 0;
    for (const part of parts) {
      if (t < start + part.seconds) return part.play(t - start) * edges(t - start, part.seconds);
      start += part.seconds;
    }
    return 0;
  };
  return { seconds, play };
}

/** 5 ms of fade at both ends, so that joints do not click. */
function edges(t: number, seconds: number): number {
  return Math.min(1, t / 0.005, (seconds - t) / 0.005);
}

const tone =
  (hertz: number, level = 0.6): Sound =>
  (t) =>
    level * Math.sin(2 * Math.PI * hertz * t);
const silence: Sound = () => 0;

/** Slow wail: 500 to 1,200 Hz and back every 2 s (the phase is the integral of the frequency). */
const siren: Sound = (t) => {
  const turn = t % 2;
  const rise = Math.min(turn, 1);
  const fall = Math.max(0, turn - 1);
  const cycles = 500 * turn + 350 * rise * rise + 700 * fall - 350 * fall * fall;
  return 0.7 * Math.sin(2 * Math.PI * cycles);
};

/**
 * Stands in for the spoken message, which a real campus records in its own languages: nobody could mistake this
 * low two-tone chime for the siren, and nobody should mistake it for speech.
 */
const voiceStandIn: Sound = (t) => {
  const turn = t % 2.5;
  if (turn < 0.8) return tone(660)(turn) * Math.exp(-2.5 * turn);
  if (turn < 1.8) return tone(440)(turn - 0.8) * Math.exp(-2.5 * (turn - 0.8));
  return 0;
};

/** Hurried high pips, three and a pause: neither the siren nor the bell, as it means the opposite of going out. */
const pips: Sound = (t) => {
  const turn = t % 1.2;
  return turn < 0.75 && turn % 0.25 < 0.16 ? tone(1320, 0.55)(turn) : 0;
};

/** A struck bell: inharmonic partials, struck four times a second. */
const bell: Sound = (t) => {
  const turn = t % 0.25;
  const partials = 0.35 * tone(880, 1)(t) + 0.25 * tone(1760, 1)(t) + 0.2 * tone(2637, 1)(t);
  return partials * Math.exp(-6 * turn);
};

/** GB 50116-2013 4.8: a siren of 8-20 s alternates with voice of 10-30 s. Looped by the site file. */
export const evacuation = inTurn([
  { seconds: 8, play: siren },
  { seconds: 10, play: voiceStandIn },
]);
/** For the one-key alarm: stay in, lock the doors. */
export const lockdown = inTurn([
  { seconds: 4.8, play: pips },
  { seconds: 5, play: voiceStandIn },
]);
/** GB 50116-2013 4.8.3: a school with bells must not evacuate by bell, so this sounds nothing like the siren. */
export const classBell = inTurn([{ seconds: 4, play: bell }]);
/** A march to do exercises to, a slow count for the eyes, and a tune: stand-ins for what a school has as recordings. */
const march: Sound = (t) => {
  const beat = Math.floor(t / 0.5) % 4;
  return tone([523, 659, 784, 659][beat] ?? 523, 0.5)(t) * Math.exp(-4 * (t % 0.5));
};
const count: Sound = (t) => {
  const beat = Math.floor(t) % 8;
  return tone(beat === 0 ? 587 : 392, 0.4)(t) * Math.exp(-3 * (t % 1));
};
const melody: Sound = (t) => {
  const note = [392, 440, 494, 587, 494, 440, 392, 294][Math.floor(t / 0.75) % 8] ?? 392;
  return tone(note, 0.35)(t) * Math.exp(-1.5 * (t % 0.75));
};
export const exercise = inTurn([{ seconds: 4, play: march }]);
export const eyes = inTurn([{ seconds: 8, play: count }]);
export const tune = inTurn([{ seconds: 6, play: melody }]);
export const testTones = inTurn(
  [440, 1000, 1880].flatMap((hertz) => [
    { seconds: 1, play: tone(hertz) },
    { seconds: 0.2, play: silence },
  ]),
);

function sample(sound: { seconds: number; play: Sound }, rate: number): Int16Array {
  return Int16Array.from({ length: Math.round(sound.seconds * rate) }, (_, i) => 32_767 * sound.play(i / rate));
}

/** A canonical RIFF/WAVE file; `tag` 1 = PCM, 6 = A-law. */
function wav(tag: 1 | 6, channels: 1 | 2, rate: number, body: Uint8Array): Buffer {
  const width = tag === 1 ? 2 : 1;
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + body.length, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(tag, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate * channels * width, 28);
  header.writeUInt16LE(channels * width, 32);
  header.writeUInt16LE(width * 8, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(body.length, 40);
  return Buffer.concat([header, body]);
}

function littleEndian(pcm: Int16Array): Buffer {
  const bytes = Buffer.alloc(pcm.length * 2);
  pcm.forEach((value, i) => {
    bytes.writeInt16LE(value, i * 2);
  });
  return bytes;
}

/** Writes every clip into a folder. */
export async function writeClips(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const stereo = Int16Array.from([...sample(testTones, 11_025)].flatMap((value) => [value, value]));
  await writeFile(join(folder, 'evacuation.wav'), wav(6, 1, 8000, alawmulaw.alaw.encode(sample(evacuation, 8000))));
  await writeFile(join(folder, 'lockdown.wav'), wav(6, 1, 8000, alawmulaw.alaw.encode(sample(lockdown, 8000))));
  for (const [name, sound] of Object.entries({ exercise, eyes, tune }))
    await writeFile(join(folder, `${name}.wav`), wav(6, 1, 8000, alawmulaw.alaw.encode(sample(sound, 8000))));
  await writeFile(join(folder, 'class-bell.wav'), wav(1, 1, 16_000, littleEndian(sample(classBell, 16_000))));
  await writeFile(join(folder, 'test-tones.wav'), wav(1, 2, 11_025, littleEndian(stereo)));
}

// Not import.meta.main: the launcher imports this file when its own Node is good enough.
if (process.argv[1] === import.meta.filename) await writeClips(import.meta.dirname);
