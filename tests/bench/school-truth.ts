import { addDays, datesFrom, weekdayOf } from '#edge/school/dates.ts';
import { createSchoolClock } from '#edge/school/local-clock.ts';
import { temporaryFolder } from '../fixtures/store/site.ts';
import { type DayFigures, type DayScript, liveDay, type Say } from '../unit/core/truth-day.ts';
import { openTruth, type TruthRoom } from '../unit/core/truth-room.ts';
import { entriesOf } from '../unit/core/truth-school.ts';
import type { BenchLine, BenchOptions } from './bench-line.ts';

/*
 * A whole term lived through without a pause: what the simulator says the evening before against what core's own parts then do, on one real
 * store, with sign-offs each week (one of them taken back), overrides, an examination, make-up days and restarts. Some ten minutes;
 * `--quick` looks less often.
 */

const timeZone = 'Asia/Shanghai';
const first = '2026-08-31';
const last = '2027-01-17';
const hour = 3_600;
const fullGrid = { day: 30_000, night: 120_000 };
const quickGrid = { day: 120_000, night: 600_000 };

/** Always the same numbers. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

/** Each Friday afternoon somebody moves a few bells and signs two weeks; one week he thinks better of it. */
async function signEachWeek(room: TruthRoom, date: string): Promise<void> {
  if (weekdayOf(date) !== 5) return;
  const week = Math.floor((Date.parse(date) - Date.parse(first)) / 604_800_000);
  await room.put(entriesOf(week % 6));
  const id = await room.sign(date, 15);
  if (week % 5 !== 2) return;
  await room.put(entriesOf(9));
  const wrong = await room.sign(date, 15);
  await room.book.undo(wrong, 'it was the wrong draft', room.actor);
  if (room.book.releaseOn(date)?.id !== id) throw new Error('the signature before does not hold again');
}

function scriptOf(date: string, random: () => number): DayScript {
  const pick = (of: number) => Math.floor(random() * of);
  const say = (midnight: number, what: Say['what'], layer = 'campus'): Say => ({
    ...{ what, layer, from: midnight, until: midnight + 86_400_000, why: 'term' },
  });
  const before = (midnight: number): readonly Say[] => {
    const rain: readonly Say[] = random() < 0.2 ? [say(midnight, { kind: 'rainy' })] : [];
    const skip: readonly Say[] =
      random() < 0.15 ? [say(midnight, { kind: 'skip', key: `radio@${date}T12:35:00` })] : [];
    const quiet: readonly Say[] =
      random() < 0.2
        ? [say(midnight, { kind: 'quiet', classes: ['bell'], zones: [`room-${1 + 4 * pick(10)}` as never] })]
        : [];
    const shift: readonly Say[] =
      random() < 0.1
        ? [
            say(
              midnight,
              { kind: 'shift', date, after: (9 + pick(6)) * hour, seconds: 60 * (pick(20) - 5) },
              random() < 0.5 ? 'junior' : 'campus',
            ),
          ]
        : [];
    return [...rain, ...skip, ...quiet, ...shift];
  };
  const during =
    random() < 0.1
      ? {
          second: 10 * hour + pick(3_000),
          what: (midnight: number) => [
            say(midnight, { kind: 'shift', date, after: 11 * hour, seconds: 60 * (1 + pick(15)) }),
          ],
        }
      : null;
  const restarts = random() < 0.3 ? [{ second: 7 * hour + pick(14 * hour), gap: 1_500 + pick(20_000) }] : [];
  const isFree = random() < 0.3;
  const seed = pick(1_000);
  return {
    ...{ before, restarts },
    ...(during === null ? {} : { during }),
    people: isFree ? (zone, second) => (zone.length * 7 + seed + Math.floor(second / 1_500)) % 3 === 0 : 'assumed',
    ...(isFree ? { temperature: (second: number) => 14 + ((seed + Math.floor(second / 900)) % 9) } : {}),
  };
}

/** What was switched before, but for the last of each output. */
function forgetOld({ switched }: TruthRoom, before: number): void {
  const last = new Map(switched.map((one) => [one.ref, one]));
  const kept = switched.filter((one) => one.at >= before || last.get(one.ref) === one);
  switched.splice(0, switched.length, ...kept);
}

export async function run({ quick, say }: BenchOptions): Promise<BenchLine[]> {
  const clock = createSchoolClock(timeZone);
  const random = seeded(7);
  await using folder = await temporaryFolder();
  await using room = await openTruth(folder.path, clock.dayOf(first).from - 2 * hour * 1_000);
  await room.look();
  await room.put(entriesOf(0));
  await room.sign(addDays(first, -1), 15);
  const days = datesFrom(first, last);
  const total = { occurrences: 0, silenced: 0, late: 0, switches: 0, otherwise: 0 };
  const problems: string[] = [];
  let restarts = 0;
  const began = performance.now();
  for (const date of days) {
    const script = scriptOf(date, random);
    restarts += script.restarts?.length ?? 0;
    const figures: DayFigures = await liveDay(room, date, script, quick ? quickGrid : fullGrid);
    for (const key of ['occurrences', 'silenced', 'late', 'switches', 'otherwise'] as const) total[key] += figures[key];
    problems.push(...figures.problems);
    for (const one of figures.problems.slice(0, 5)) say(one);
    forgetOld(room, clock.dayOf(date).from);
    await signEachWeek(room, addDays(date, 1));
  }
  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  const note = `${days.length} days, ${total.occurrences} occurrences (${total.silenced} silenced), ${total.switches} switchings of circuits, of which ${total.otherwise} came otherwise as was said to be assumed; ${restarts} restarts, at which ${total.late} came late or were told as missed; ${minutes} min`;
  return [
    {
      ...{ bench: 'school-truth', what: 'what the simulator said of a term and what happened: differences' },
      ours: { value: problems.length, unit: '' },
      goal: { of: 'figure', atMost: 0 },
      note,
    },
  ];
}
