import { readExchange } from '#edge/drivers/modbus/exchange.ts';
import type { Heard, ScanLine } from './scan-line.ts';

/* Which Modbus units answer: each is asked for one register, and any answer counts, also one that refuses. */

export interface FoundUnit {
  readonly unit: number;
  readonly state: 'answers' | 'collision';
  /** Answer time, ms. */
  readonly ms: number;
  /** It answers to every number: a device of its own, not one of several behind a gateway. */
  readonly isAnybody: boolean;
}

export interface ScanUnitsOptions {
  /** Over Modbus TCP: whether the units are numbered frames, and a device may answer to every number. */
  readonly isTcp: boolean;
  readonly found: (unit: FoundUnit) => void;
  readonly progress: (done: number) => void;
}

/** Some devices are silent about a table that they do not have: where few are asked, both are. */
const fewUnits = 32;
/** So many in a row with the very same answer, and others far away too: it does not look at the number. */
const sameInARow = 6;
const farAway = [97, 171, 239];

async function look(line: ScanLine, unit: number, tables: readonly ('holding' | 'input')[]): Promise<Heard> {
  let heard: Heard = { is: 'silent' };
  for (const table of tables) {
    const exchange = readExchange(unit, table, 0, 1);
    heard = await line.ask(line.numbered ? exchange.tcp : exchange.rtu);
    if (heard.is !== 'silent') return heard;
  }
  return heard;
}

/** The answer without the number of the unit. */
const bodyOf = (heard: Heard): string | null => ('frame' in heard ? heard.frame.subarray(1).toString('hex') : null);

interface Looked {
  readonly unit: number;
  readonly heard: Heard;
}

/** Ends early when the line's signal is aborted, or when one device turns out to answer for all of them. */
export async function scanUnits(line: ScanLine, units: readonly number[], options: ScanUnitsOptions): Promise<void> {
  const tables = units.length <= fewUnits ? (['holding', 'input'] as const) : (['holding'] as const);
  /** The first few wait until it is known whether they are one. */
  let waiting: Looked[] | null = options.isTcp ? [] : null;
  for (const [i, unit] of units.entries()) {
    if (line.signal.aborted) break;
    const looked = { unit, heard: await look(line, unit, tables) };
    options.progress(i + 1);
    if (waiting === null) {
      report([looked], options);
      continue;
    }
    waiting.push(looked);
    const isAlike = isSame(waiting.map(({ heard }) => heard));
    if (isAlike && waiting.length < sameInARow) continue;
    if (isAlike && (await isAnybodyThere(line, looked.heard, tables))) {
      report(waiting.slice(0, 1), options, true);
      return;
    }
    report(waiting, options);
    waiting = null;
  }
  report(waiting ?? [], options);
}

function report(all: readonly Looked[], { found }: ScanUnitsOptions, isAnybody = false): void {
  for (const { unit, heard } of all) {
    if (heard.is === 'collision') found({ unit, state: 'collision', ms: 0, isAnybody: false });
    else if ('frame' in heard) found({ unit, state: 'answers', ms: heard.ms, isAnybody });
  }
}

function isSame(all: readonly Heard[]): boolean {
  const bodies = all.map(bodyOf);
  return bodies.every((body) => body !== null && body === bodies[0]);
}

async function isAnybodyThere(
  line: ScanLine,
  heard: Heard,
  tables: readonly ('holding' | 'input')[],
): Promise<boolean> {
  for (const unit of farAway) {
    if (bodyOf(await look(line, unit, tables)) !== bodyOf(heard)) return false;
  }
  return true;
}
