import { mbapLink } from '#edge/drivers/modbus/mbap-link.ts';
import type { LinkKind } from '#edge/drivers/ports/link.ts';
import type { PortSource } from '#edge/drivers/ports/port.ts';
import { frameGapOf, serialPort } from '#edge/drivers/ports/serial.ts';
import { streamLink } from '#edge/drivers/ports/stream-link.ts';
import { tcpPort } from '#edge/drivers/ports/tcp.ts';
import type { Profile } from '#edge/profiles/profile.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import { usage } from './command.ts';
import type { Place } from './profile-try-address.ts';
import { type FittingProfile, identifyUnit, type SunSpecUnit } from './scan-fit.ts';
import { ScanLine } from './scan-line.ts';
import { type FoundMeter, meterProfiles, scanCjt188, scanDlt645 } from './scan-meters.ts';
import { type FoundUnit, scanUnits } from './scan-modbus.ts';

/* Everybody on a line: which protocol answers, which units and meters, and which profile fits each. Only asks, never writes. */

export interface ScanFound {
  readonly protocol: 'modbus-tcp' | 'modbus-rtu' | 'dlt645' | 'cjt188';
  /** Modbus: 1 to 247. */
  readonly unit?: number;
  /** The others: its number. */
  readonly meter?: string;
  readonly type?: number;
  readonly state: 'answers' | 'collision';
  /** It answers to every unit: a device of its own. */
  readonly isAnybody?: boolean;
  readonly fits: readonly FittingProfile[];
  readonly sunspec: SunSpecUnit | null;
  /** What `campus profile try` takes. */
  readonly address: string;
}

export interface ScanOptions {
  readonly place: Place;
  readonly units: readonly number[];
  /** ms; null: what the protocol needs. */
  readonly timeout: number | null;
  readonly profiles: ReadonlyMap<string, Profile>;
  /** Whether units that answer are asked what they are. */
  readonly identify: 'what they are' | 'nothing more';
  readonly signal: AbortSignal;
  readonly found: (found: ScanFound) => void;
  readonly progress: (what: ScanFound['protocol'], done: number, of: number) => void;
}

type Stage = ScanFound['protocol'];

/** What is tried where. A port that does not speak Modbus TCP may be a transparent serial server. */
function stagesOf({ protocol, way }: Place): readonly Stage[] {
  if (protocol === 'dlt645' || protocol === 'cjt188') return [protocol];
  const line: readonly Stage[] = protocol === 'modbus' ? ['modbus-rtu'] : ['modbus-rtu', 'dlt645', 'cjt188'];
  return way === 'tcp' ? ['modbus-tcp', ...line] : line;
}

/** Least silence between two questions, ms: a scan is nobody's first concern. */
const courtesy: Readonly<Record<Stage, number>> = { 'modbus-tcp': 5, 'modbus-rtu': 20, dlt645: 20, cjt188: 20 };
const timeouts: Readonly<Record<Stage, number>> = { 'modbus-tcp': 300, 'modbus-rtu': 300, dlt645: 800, cjt188: 1_000 };

function sourceOf({ way, host, port, path, query }: Place, stage: Stage): { source: PortSource; gap: number } {
  if (way !== 'serial') return { source: tcpPort({ host, port }), gap: 0 };
  const isMeter = stage === 'dlt645' || stage === 'cjt188';
  const parity = query.parity ?? (isMeter ? 'even' : 'none');
  if (parity !== 'none' && parity !== 'even' && parity !== 'odd') throw usage(`parity=${parity} is none, even or odd`);
  const baud = Number(query.baud ?? (isMeter ? 2_400 : 9_600));
  if (!(baud >= 300 && baud <= 1_000_000)) throw usage(`baud=${query.baud} is no speed such as 9600`);
  const line = {
    baud,
    dataBits: query.data_bits === '7' ? 7 : 8,
    parity,
    stopBits: query.stop_bits === '2' ? 2 : 1,
  } as const;
  return { source: serialPort({ path, ...line }), gap: frameGapOf(line) };
}

/** Resolves how many were found. Throws SCAN_LINE or SCAN_LOST when nothing can be asked at all. */
export async function scan(options: ScanOptions): Promise<number> {
  let count = 0;
  const counting: ScanOptions = {
    ...options,
    found: (found) => {
      count++;
      options.found(found);
    },
  };
  for (const stage of stagesOf(options.place)) {
    if (options.signal.aborted) break;
    try {
      await scanStage(stage, counting);
    } catch (error) {
      // What comes back from a serial server, noise or an echo, is no Modbus TCP: that says nothing about the line behind it.
      if (stage !== 'modbus-tcp' || codeOf(error) !== 'SCAN_LOST') throw error;
    }
    // Whoever answers Modbus TCP is no serial server.
    if (stage === 'modbus-tcp' && count > 0) break;
  }
  return count;
}

async function scanStage(stage: Stage, options: ScanOptions): Promise<void> {
  const { place, timeout, signal } = options;
  const { source, gap } = sourceOf(place, stage);
  const kind: LinkKind = stage === 'modbus-tcp' ? mbapLink : streamLink;
  const pause = Math.max(courtesy[stage], Math.ceil(gap));
  await using line = new ScanLine({ source, kind, pause, timeout: timeout ?? timeouts[stage], signal });
  if (stage === 'dlt645' || stage === 'cjt188') await scanMeters(stage, line, options);
  else await scanModbus(stage, line, options);
}

async function scanModbus(stage: 'modbus-tcp' | 'modbus-rtu', line: ScanLine, options: ScanOptions): Promise<void> {
  const { units, profiles, place } = options;
  const all: FoundUnit[] = [];
  await scanUnits(line, units, {
    isTcp: stage === 'modbus-tcp',
    found: (unit) => all.push(unit),
    progress: (done) => options.progress(stage, done, units.length),
  });
  for (const { unit, state, isAnybody } of all) {
    const isAsked = state === 'answers' && options.identify === 'what they are' && !options.signal.aborted;
    const { fits, sunspec } = isAsked ? await identifyUnit(line, unit, profiles) : { fits: [], sunspec: null };
    const scheme = stage === 'modbus-tcp' ? 'tcp' : place.way === 'serial' ? 'serial' : 'rtu+tcp';
    options.found({
      protocol: stage,
      unit,
      state,
      isAnybody,
      fits,
      sunspec,
      address: urlOf(place, scheme, String(unit)),
    });
  }
}

async function scanMeters(stage: 'dlt645' | 'cjt188', line: ScanLine, options: ScanOptions): Promise<void> {
  const { profiles, place } = options;
  const report = (meter: FoundMeter) => {
    const fits = meterProfiles(meter, profiles).map((path): FittingProfile => ({ path, by: 'kind', bits: 0 }));
    const scheme = `${stage}+${place.way === 'serial' ? 'serial' : 'tcp'}`;
    options.found({
      protocol: stage,
      meter: meter.meter,
      ...(meter.type === undefined ? {} : { type: meter.type }),
      state: meter.state,
      fits,
      sunspec: null,
      address: urlOf(place, scheme, meter.meter),
    });
  };
  const progress = (asked: number) => options.progress(stage, asked, 0);
  if (stage === 'dlt645') await scanDlt645(line, { found: report, progress });
  else await scanCjt188(line, { found: report, progress });
}

function urlOf({ way, host, port, path, query }: Place, scheme: string, unit: string): string {
  const options = new URLSearchParams(query).toString();
  const where = way === 'serial' ? path : `${host}:${port}`;
  return `${scheme}://${where}/${unit}${options === '' ? '' : `?${options}`}`;
}
