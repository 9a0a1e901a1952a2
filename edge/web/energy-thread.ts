import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { OpeningHours } from '#edge/domain/calendar.ts';
import type { EnergyPlan } from '#edge/domain/energy.ts';
import type { Name } from '#edge/domain/place.ts';
import {
  type LocalClock,
  type PeriodKind,
  periodAt,
  periodBefore,
  remembering,
  type Span,
} from '#edge/energy/local-days.ts';
import { pricedRises } from '#edge/energy/priced.ts';
import { pricedStep } from '#edge/energy/report.ts';
import { type Rises, stepFrom } from '#edge/energy/rises.ts';
import { type AmountsOver, amountsOver, treeOf } from '#edge/energy/tree.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { openReader, type Reader } from '#edge/store/reader.ts';
import { dayTypeOf, type EnergyContext } from './energy-context.ts';
import { findMeter, type MeterFigures, meterFigures } from './energy-meter-page.ts';
import { freshSlow, isStale, type SlowFigures, type TodayFigures, todayFigures } from './energy-now.ts';
import { RisesPast } from './energy-past.ts';
import { type ReportFigures, reportFigures } from './energy-report.ts';
import { measuredOf, quartersOf, risesOf } from './energy-rises.ts';
import { narrowedPlan } from './energy-scope.ts';
import { createLocalTime } from './local-time.ts';

/*
 * Adds up what meters counted, in a thread of its own with its own connection to the store: a month of forty meters is half a second of
 * work, and nobody's live view waits for it.
 */

export interface EnergyThreadOptions {
  /** Of the database. */
  readonly folder: string;
  readonly plan: EnergyPlan;
  readonly timeZone: string;
  readonly openingHours: OpeningHours;
  readonly campus: Name;
  readonly buildings: readonly { readonly id: string; readonly name: Name }[];
}

export interface EnergyQuestions {
  readonly report: {
    readonly ask: { readonly kind: PeriodKind; readonly time: number };
    readonly answer: ReportFigures;
  };
  readonly meter: {
    readonly ask: { readonly meter: string; readonly kind: PeriodKind; readonly time: number };
    readonly answer: MeterFigures;
  };
  readonly today: { readonly ask: object; readonly answer: TodayFigures };
}

export type EnergyQuestion = {
  [Q in keyof EnergyQuestions]: {
    readonly what: Q;
    readonly ask: EnergyQuestions[Q]['ask'];
    readonly now: number;
    /** Ids of the meters that whoever asks sees; null: all. */
    readonly visible: readonly string[] | null;
    /** Local dates on which people said that there are no lessons. */
    readonly holidays: readonly string[];
    /** Changes with what people decide about counters and holidays: nothing from before is used then. */
    readonly edition: string;
  };
}[keyof EnergyQuestions];

export type ToEnergyThread = { readonly id: number; readonly question: EnergyQuestion };
export type FromEnergyThread =
  | { readonly id: number; readonly answer: EnergyQuestions[keyof EnergyQuestions]['answer'] }
  | { readonly id: number; readonly code: string; readonly message: string };

const mostSlow = 20;

/** Answers questions about one campus; the thread behind its messages, without them. */
export function createAnswers(options: EnergyThreadOptions, reader: Pick<Reader, 'history'>, clock: ManualClock) {
  const localTime = remembering(createLocalTime(options.timeZone));
  const buildingNames = new Map(options.buildings.map(({ id, name }) => [id, name]));
  const slow = new Map<string, SlowFigures>();
  const past = new RisesPast();

  const contextOf = (question: EnergyQuestion): EnergyContext => {
    const { now, visible, holidays } = question;
    const dayType = dayTypeOf(options.openingHours, holidays);
    clock.step(now - clock.now());
    const plan = visible === null ? options.plan : narrowedPlan(options.plan, new Set(visible), () => true);
    past.begin(now, question.edition);
    const rises = risesOf(reader, plan, likelySpan(question, localTime), past);
    const tree = treeOf(plan);
    const amounts = amountsOver(tree, rises);
    return {
      ...{ plan, tree, rises, amounts, dayType, now, buildingNames },
      isWhole: visible === null,
      priced: pricedOver(plan, localTime, amounts, pricedRises(plan, localTime, rises, quartersOf(reader, plan, past))),
      measured: measuredOf(reader, plan, rises, past),
      clock: localTime,
      campus: options.campus,
    };
  };
  const slowOf = (context: EnergyContext, { visible, edition }: EnergyQuestion): SlowFigures => {
    const key = `${edition} ${visible?.join() ?? '*'}`;
    const known = slow.get(key);
    if (known !== undefined && !isStale(known, context)) return known;
    if (slow.size >= mostSlow) slow.clear();
    const fresh = freshSlow(context);
    slow.set(key, fresh);
    return fresh;
  };
  return (question: EnergyQuestion): EnergyQuestions[keyof EnergyQuestions]['answer'] => {
    const context = contextOf(question);
    if (question.what === 'report') return reportFigures(context, question.ask.kind, question.ask.time);
    if (question.what === 'today') return todayFigures(context, slowOf(context, question));
    const { meter, kind, time } = question.ask;
    const found = findMeter(context.plan, meter);
    if (found === undefined) throw new CodedError('METER_NOT_FOUND', `there is no meter "${meter}"`);
    return meterFigures(context, found, kind, time);
  };
}

/** By the hour where every price changes with it; else by the quarter, of which only those are read that matter. */
function pricedOver(plan: EnergyPlan, clock: LocalClock, amounts: AmountsOver, rises: Rises): EnergyContext['priced'] {
  const quarters = amountsOver(treeOf(plan), rises);
  return (span) => {
    const step = pricedStep(plan, clock, span);
    return step === '15min' && stepFrom(span.from) === '1h' ? quarters(span, step) : amounts(span, step);
  };
}

/** Reports compare every meter with the period before. */
function likelySpan({ what, ask, now }: EnergyQuestion, clock: LocalClock): Span | null {
  if (what !== 'report') return null;
  const period = periodAt(clock, ask.kind, ask.time);
  return { from: periodBefore(clock, period).from, to: Math.min(period.to, now) };
}

function serve(port: MessagePort, options: EnergyThreadOptions): void {
  const clock = new ManualClock(0);
  const answer = createAnswers(options, openReader(options.folder, clock), clock);
  port.on('message', ({ id, question }: ToEnergyThread) => {
    const say = (message: FromEnergyThread) => port.postMessage(message);
    try {
      say({ id, answer: answer(question) });
    } catch (error) {
      // A bug ends the thread, as it would end a process: whoever waits is told, and the next question has a new one.
      if (!(error instanceof CodedError)) throw error;
      say({ id, code: codeOf(error), message: messageOf(error) });
    }
  });
}

if (parentPort !== null) serve(parentPort, workerData as EnergyThreadOptions);
