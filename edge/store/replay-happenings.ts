import type { Alarm } from '#edge/domain/alarm.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { Command } from '#edge/domain/output.ts';
import { openReadOnly, storeError } from './database.ts';

/** What happened in a window beside readings, ascending in time. */
export interface Happenings {
  readonly events: readonly CampusEvent[];
  /** Alarms that were open at some time of the window, as they are now: their times say how they went. */
  readonly alarms: readonly Alarm[];
  /** What outputs were told. */
  readonly commands: readonly Command[];
  /** Modes of the campus that were set or ended up to the end of the window, ascending: what was on before it is the sum of them. */
  readonly modes: readonly { readonly time: number; readonly mode: string; readonly on: boolean }[];
  /** The oldest event there is; null: none. Before it retention may have dropped what happened. */
  readonly firstEvent: number | null;
  /** Not everything fitted: what was left out. */
  readonly cut: readonly string[];
}

const most = 200_000;
/** An alarm that was raised so long before the window and still stood in it is found, ms. */
const alarmReach = 31 * 86_400_000;

/** Reads from the database of a data folder beside whoever writes it. Throws as openReplay does. */
export function readHappenings(folder: string, from: number, to: number): Happenings {
  const db = openReadOnly(folder);
  try {
    const bodies = (sql: string, ...values: number[]) =>
      db
        .prepare<number[], string>(`${sql} LIMIT ${most + 1}`)
        .pluck()
        .all(...values);
    const events = bodies('SELECT body FROM event WHERE time >= ? AND time < ? ORDER BY seq', from, to);
    const alarms = bodies(
      'SELECT body FROM alarm WHERE raised >= ? AND raised < ? ORDER BY raised',
      from - alarmReach,
      to,
    );
    const commands = bodies(
      'SELECT body FROM command WHERE time >= ? AND time < ? ORDER BY seq',
      from - 86_400_000,
      to,
    );
    const modes = db
      .prepare<[number], { time: number; what: string }>(
        `SELECT time, what FROM audit WHERE time < ? AND (what LIKE 'mode.set %' OR what LIKE 'mode.end %') ORDER BY seq`,
      )
      .all(to);
    const first = db.prepare<[], number | null>('SELECT min(time) FROM event').pluck().get() ?? null;
    const over = Object.entries({ events, alarms, commands }).filter(([, found]) => found.length > most);
    // Bodies were written by this room from checked values: reading them back is the parse.
    return {
      events: events.slice(0, most).map((body) => JSON.parse(body) as CampusEvent),
      alarms: alarms
        .slice(0, most)
        .map((body) => JSON.parse(body) as Alarm)
        .filter(({ ended }) => ended === undefined || ended >= from),
      commands: commands.slice(0, most).map((body) => (JSON.parse(body) as { command: Command }).command),
      modes: modes.flatMap(({ time, what }) => modeIn(time, what)),
      firstEvent: first,
      cut: over.map(([what]) => `more than ${most} ${what}: the rest is left out`),
    };
  } catch (error) {
    throw storeError(error, 'what happened cannot be read');
  } finally {
    db.close();
  }
}

/** `mode.set exam on`, `mode.end exam`: as core writes it into the audit. */
function modeIn(time: number, what: string): Happenings['modes'] {
  const [verb, mode = '', state] = what.split(' ', 3);
  return [{ time, mode, on: verb === 'mode.set' && state === 'on' }];
}
