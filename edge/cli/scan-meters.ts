import * as cjt188 from '#edge/drivers/cjt188/frame.ts';
import * as dlt645 from '#edge/drivers/dlt645/frame.ts';
import type { Found, Question } from '#edge/drivers/ports/link.ts';
import type { Profile } from '#edge/profiles/profile.ts';
import type { Heard, ScanLine } from './scan-line.ts';

/* Meters that can be asked without their number: DL/T 645 by addresses with A for any digit, CJ/T 188 by kind of meter. */

export interface FoundMeter {
  readonly protocol: 'dlt645' | 'cjt188';
  /** '' where several talk at once and none was understood. */
  readonly meter: string;
  readonly state: 'answers' | 'collision';
  /** CJ/T 188: kind of meter, and how its identifiers travel. */
  readonly type?: number;
  readonly diOrder?: '901F' | '1F90';
  /** DL/T 645: it shows a voltage on L2. */
  readonly isThreePhase?: boolean;
}

export interface ScanMetersOptions {
  readonly found: (meter: FoundMeter) => void;
  readonly progress: (asked: number) => void;
}

const preamble = 4;
/** Two digits at a time, low ones first: a hundred questions where several talk at once. */
const mostAsked = 2_000;
const any = 'A'.repeat(12);

/** Does the number of a meter fit one with A for any digit? */
const isLike = (meter: string, mask: string) => [...mask].every((digit, i) => digit === 'A' || digit === meter[i]);

function dlt645Question(mask: string, control: number, data: Buffer): Question {
  const find = (received: Buffer): Found | null => {
    for (const { frame, start, consumed } of dlt645.framesIn(received)) {
      if (!dlt645.isAnswerTo(control, frame) || !isLike(frame.address, mask)) continue;
      return { frame: received.subarray(start, consumed), consumed };
    }
    return null;
  };
  // Noise as long as this is an answer that others talked over.
  const length = 12;
  return {
    unit: mask,
    what: `read meter ${mask}`,
    request: dlt645.encodeFrame({ address: mask, control, data }, preamble),
    find,
    length,
  };
}

const addressData = dlt645.identifierBytes('04000402');

function meterIn(heard: Heard): string | null {
  if (!('frame' in heard)) return null;
  const [first] = dlt645.framesIn(heard.frame);
  return first?.frame.address ?? null;
}

/** All that can be told apart. Bounded; ends early when the line's signal is aborted. */
export async function scanDlt645(line: ScanLine, options: ScanMetersOptions): Promise<void> {
  const seen = new Set<string>();
  const report = async (meter: string) => {
    if (seen.has(meter)) return;
    seen.add(meter);
    options.found({ protocol: 'dlt645', meter, state: 'answers', isThreePhase: await isThreePhase(line, meter) });
  };
  const first = await askTwice(line, dlt645Question(any, dlt645.controls.readAddress, Buffer.alloc(0)));
  const alone = meterIn(first);
  if (alone !== null) await report(alone);
  // One that is louder than the others may have been understood: whoever else is there answers to another last digit.
  if (first.is === 'collision') await search(line, '', report, options);
}

/** `suffix`: the low digits that are known. */
async function search(
  line: ScanLine,
  suffix: string,
  report: (meter: string) => Promise<void>,
  options: ScanMetersOptions,
): Promise<void> {
  for (let pair = 0; pair < 100 && suffix.length < 12; pair++) {
    if (line.signal.aborted || line.asked >= mostAsked) return;
    const known = String(pair).padStart(2, '0') + suffix;
    const heard = await line.ask(dlt645Question(known.padStart(12, 'A'), dlt645.controls.read, addressData));
    options.progress(line.asked);
    const meter = meterIn(heard);
    if (meter !== null) await report(meter);
    if (heard.is !== 'collision') continue;
    if (known.length === 12) options.found({ protocol: 'dlt645', meter: known, state: 'collision' });
    else await search(line, known, report, options);
  }
}

async function isThreePhase(line: ScanLine, meter: string): Promise<boolean> {
  const heard = await askTwice(line, dlt645Question(meter, dlt645.controls.read, dlt645.identifierBytes('02010200')));
  if (heard.is !== 'answer') return false;
  const [first] = dlt645.framesIn(heard.frame);
  if (first === undefined || (first.frame.control & dlt645.refusalBit) !== 0) return false;
  const digits = first.frame.data.subarray(4).reverse().toString('hex');
  return /^\d+$/.test(digits) && Number(digits) > 200;
}

async function askTwice(line: ScanLine, question: Question): Promise<Heard> {
  const heard = await line.ask(question);
  return heard.is === 'silent' ? line.ask(question) : heard;
}

function cjt188Question(type: number, order: '901F' | '1F90', serial: number): Question {
  const { read } = cjt188.controls;
  const address = 'A'.repeat(14);
  const data = Buffer.concat([Buffer.from(order, 'hex'), Buffer.from([serial])]);
  const find = (received: Buffer): Found | null => {
    for (const { frame, start, consumed } of cjt188.framesIn(received)) {
      const isAnswer = cjt188.isAnswerTo(read, frame) && /^\d{14}$/.test(frame.address);
      if (isAnswer) return { frame: received.subarray(start, consumed), consumed };
    }
    return null;
  };
  const request = cjt188.encodeFrame({ type, address, control: read, data }, preamble);
  return { unit: address, what: `read meters of kind ${type.toString(16)}`, request, find, length: 13 };
}

/** Cold, hot and drinking water, grey water, heat, cold, gas. */
const kinds = [0x10, 0x11, 0x12, 0x13, 0x20, 0x21, 0x30];

/** One meter of each kind can be found: the standard has no way to tell several of a kind apart. */
export async function scanCjt188(line: ScanLine, options: ScanMetersOptions): Promise<void> {
  let serial = 0;
  const seen = new Set<string>();
  for (const kind of kinds) {
    for (const order of ['901F', '1F90'] as const) {
      if (line.signal.aborted) return;
      const heard = await line.ask(cjt188Question(kind, order, ++serial));
      options.progress(line.asked);
      if (heard.is === 'collision') {
        options.found({ protocol: 'cjt188', meter: '', state: 'collision', type: kind });
        break;
      }
      const [first] = 'frame' in heard ? cjt188.framesIn(heard.frame) : [];
      if (first === undefined || (first.frame.control & cjt188.refusalBit) !== 0) continue;
      const { address, type } = first.frame;
      if (!seen.has(address))
        options.found({ protocol: 'cjt188', meter: address, state: 'answers', type, diOrder: order });
      seen.add(address);
      break;
    }
  }
}

/** Profiles that are for such a meter, by path. */
export function meterProfiles(meter: FoundMeter, profiles: ReadonlyMap<string, Profile>): string[] {
  if (meter.state === 'collision') return [];
  if (meter.protocol === 'dlt645') return [meter.isThreePhase ? 'meter/dlt645-2007' : 'meter/dlt645-2007-single'];
  return [...profiles].flatMap(([path, profile]) => {
    if (profile.protocol !== 'cjt188') return [];
    return profile.bus.type === meter.type && profile.bus.di_order === meter.diOrder ? [path] : [];
  });
}
