import { type Box, BoxContent, boxesIn, invalidMp4 } from './mp4-boxes.ts';
import type { Mp4Track } from './mp4-init.ts';

/** What a moof says about the samples of one track. */
export interface FragmentTimes {
  /** Decode time of the first sample, ms of the stream's own clock. */
  readonly time: number;
  /** All samples together, ms. */
  readonly duration: number;
  /** The first sample can be decoded without anything before it. */
  readonly isKey: boolean;
  readonly samples: number;
}

/** ISO/IEC 14496-12, 8.8.3.1: sample_is_non_sync_sample. */
const nonSync = 0x1_00_00;
/** A minute at 1,000 pictures a second: no fragment has more samples. */
const mostSamples = 60_000;

/** Times of a fragment (a moof box, more may follow it). Throws `MP4_INVALID`; null: nothing of this track is in it. */
export function readFragment(bytes: Buffer, track: Mp4Track): FragmentTimes | null {
  const moof = boxesIn(bytes).find((box) => box.type === 'moof');
  if (moof === undefined) throw invalidMp4('there is no moof box', 0);
  for (const traf of boxesIn(bytes, moof.body, moof.end)) {
    if (traf.type !== 'traf') continue;
    const times = readTrackFragment(bytes, traf, track);
    if (times !== null) return times;
  }
  return null;
}

function readTrackFragment(bytes: Buffer, traf: Box, track: Mp4Track): FragmentTimes | null {
  const inner = boxesIn(bytes, traf.body, traf.end);
  const tfhd = inner.find((box) => box.type === 'tfhd');
  if (tfhd === undefined) throw invalidMp4('a traf box has no tfhd', traf.start);
  const defaults = readDefaults(bytes, tfhd, track);
  if (defaults === null) return null;
  const tfdt = inner.find((box) => box.type === 'tfdt');
  const start = tfdt === undefined ? 0 : readDecodeTime(bytes, tfdt);
  let samples = 0;
  let duration = 0;
  let flags = defaults.flags;
  for (const trun of inner.filter((box) => box.type === 'trun')) {
    const run = readRun(bytes, trun, defaults);
    if (samples === 0 && run.samples > 0) flags = run.firstFlags;
    samples += run.samples;
    duration += run.duration;
  }
  if (samples === 0) return null;
  const toMs = 1000 / track.timescale;
  return { time: start * toMs, duration: duration * toMs, isKey: (flags & nonSync) === 0, samples };
}

interface Defaults {
  readonly duration: number;
  readonly flags: number;
}

/** null: the box is about another track. */
function readDefaults(bytes: Buffer, tfhd: Box, track: Mp4Track): Defaults | null {
  const content = new BoxContent(bytes, tfhd);
  const { flags: has } = content.full();
  if (content.u32() !== track.id) return null;
  if ((has & 0x01) !== 0) content.skip(8); // base data offset
  if ((has & 0x02) !== 0) content.skip(4); // sample description
  const duration = (has & 0x08) !== 0 ? content.u32() : track.defaultDuration;
  if ((has & 0x10) !== 0) content.skip(4); // size
  return { duration, flags: (has & 0x20) !== 0 ? content.u32() : track.defaultFlags };
}

function readDecodeTime(bytes: Buffer, tfdt: Box): number {
  const content = new BoxContent(bytes, tfdt);
  return content.full().version === 1 ? content.u64() : content.u32();
}

function readRun(
  bytes: Buffer,
  trun: Box,
  defaults: Defaults,
): { samples: number; duration: number; firstFlags: number } {
  const content = new BoxContent(bytes, trun);
  const { flags: has } = content.full();
  const samples = content.u32();
  if (samples > mostSamples) throw invalidMp4(`a run of ${samples} samples`, trun.start);
  if ((has & 0x01) !== 0) content.skip(4); // data offset
  const first = (has & 0x04) !== 0 ? content.u32() : null;
  let duration = 0;
  let firstFlags = first ?? defaults.flags;
  const hasOwn = (has & 0xf_00) !== 0;
  if (!hasOwn) return { samples, duration: samples * defaults.duration, firstFlags };
  for (let index = 0; index < samples; index++) {
    duration += (has & 0x1_00) !== 0 ? content.u32() : defaults.duration;
    if ((has & 0x2_00) !== 0) content.skip(4); // size
    const own = (has & 0x4_00) !== 0 ? content.u32() : null;
    if (index === 0 && first === null && own !== null) firstFlags = own;
    if ((has & 0x8_00) !== 0) content.skip(4); // composition offset
  }
  return { samples, duration, firstFlags };
}
