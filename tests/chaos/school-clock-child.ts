import { Cron } from 'croner';
import { scheduleJob } from 'node-schedule';
import type { LedgerOutcome, Occurrence } from '#edge/domain/school.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { createSchoolClock } from '#edge/school/local-clock.ts';
import { occurrencesOf } from '#edge/school/occurrences.ts';
import { compilePlan } from '#edge/school/plan.ts';
import { createTicker, type TickerState } from '#edge/school/ticker.ts';

/*
 * A program under libfaketime: our ticker, croner and node-schedule, each with a bell a day at the same second. What they do is said on
 * standard output, a line of JSON each. What they are told comes on standard input: `synchronised` or `unknown`, as a time source would.
 */

/** Seconds from now to the bell (negative: it was so long ago), when this program was built, what had been decided before a restart. */
const [seconds = '5', builtAt = '0', horizon = ''] = process.argv.slice(2);
const local = createSchoolClock('UTC');
const bell = Math.ceil(systemClock.now() / 1_000) * 1_000 + Number(seconds) * 1_000;
const today = local.secondOf(bell);
const [hour, minute, second] = [Math.floor(today / 3_600), Math.floor(today / 60) % 60, today % 60];
const name = { zh: '铃', en: 'bell' };
const all = ['school', 'make-up', 'exam', 'event', 'weekend', 'holiday', 'vacation'] as const;
const plan = compilePlan(
  {
    bell: {
      ...{ part: 'item', name, class: 'bell', layer: 'campus', enabled: true },
      when: { at: today },
      days: { kinds: all, weekdays: [] },
      do: { kind: 'sound', clip: 'bell', zones: [], seconds: 5 },
    },
  },
  { clock: local, holidays: [], zones: ['all' as never] },
);
const state: TickerState | null = horizon === '' ? null : { horizon: Number(horizon) };
const trust = { builtAt: Number(builtAt), steadyFor: 300_000, holdOver: 86_400_000 };
const ticker = createTicker({ ...trust, dateOf: local.dateOf }, state);
const ledger = new Map<string, LedgerOutcome>();
const start = systemClock.monotonic();
let says: 'synchronised' | 'unknown' = 'unknown';
let asOf = Number.NEGATIVE_INFINITY;

function say(what: object): void {
  process.stdout.write(`${JSON.stringify({ wall: systemClock.now(), ...what })}\n`);
}

setInterval(() => {
  const monotonic = systemClock.monotonic() - start;
  const { decisions, events } = ticker.tick({
    ...{ wall: systemClock.now(), monotonic, word: { says, asOf } },
    occurrences: (date): readonly Occurrence[] => occurrencesOf(plan, date, []),
    ledgerHas: (key) => ledger.get(key) ?? null,
  });
  for (const event of events) say({ by: 'ticker', event: event.kind });
  for (const { occurrence, do: what, outcome, reason } of decisions) {
    ledger.set(occurrence.key, outcome);
    say({ by: 'ticker', what, reason, planned: occurrence.at });
  }
}, 50);

const pattern = `${second} ${minute} ${hour} * * *`;
new Cron(pattern, { timezone: 'UTC' }, () => say({ by: 'croner' }));
scheduleJob({ hour, minute, second, tz: 'UTC' }, () => say({ by: 'node-schedule' }));

process.stdin.setEncoding('utf8').on('data', (text: string) => {
  const word = text.trim().split('\n').at(-1);
  if (word === 'end') process.exit(0);
  says = word === 'synchronised' ? 'synchronised' : 'unknown';
  asOf = systemClock.monotonic() - start;
  say({ by: 'test', says });
});
process.stdin.on('end', () => process.exit(0));
say({ by: 'test', says: 'started', planned: bell });
