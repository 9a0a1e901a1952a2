import type { PointRef } from '#edge/domain/ids.ts';
import { splitPointRef } from '#edge/domain/ids.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { Bucket, CampusWeb } from './campus-web.ts';
import { type NodeApi, onInput, readNumber, registerCampusNode } from './node-api.ts';

export const historyFigures = ['last', 'mean', 'min', 'max', 'delta'] as const;
type Figure = (typeof historyFigures)[number];

interface HistoryConfig {
  /** `<device>/<point>`; empty takes `msg.ref`. */
  readonly point: string;
  readonly figure: Figure;
  /** Minutes back from now. */
  readonly minutes: string | number;
  /** Samples for `last`, at most 1,000. */
  readonly count: string | number;
}

/**
 * `campus history`: what a point was. `msg.payload` is for `last` a list of {t, value, quality}, oldest first; else one number,
 * null when nothing good is known. `delta` is by how much a meter has gone on.
 */
export function registerHistory(RED: NodeApi): void {
  registerCampusNode<HistoryConfig>(RED, 'campus history', (node, config, door) => {
    onInput(node, async (message) => {
      if (door.web === null) throw new CodedError('FLOWS_NO_ANSWER', 'nobody here knows what was');
      const ref = config.point === '' ? message.ref : config.point;
      if (typeof ref !== 'string' || splitPointRef(ref) === null) {
        throw new CodedError('FLOWS_BAD_REQUEST', `point: "${String(ref)}" is not <device>/<point>`);
      }
      const to = systemClock.now();
      const from = to - Math.round(readNumber(config.minutes, 'minutes', 1, 525_600) * 60_000);
      const { tab } = door.askerOf(node);
      const payload = await readFigure(door.web, config, ref as PointRef, from, to, tab);
      node.status({
        fill: 'green',
        shape: 'dot',
        text: Array.isArray(payload) ? `${payload.length}` : String(payload),
      });
      return { ...message, topic: ref, ref, from, to, payload };
    });
  });
}

async function readFigure(
  web: CampusWeb,
  { figure, count }: HistoryConfig,
  ref: PointRef,
  from: number,
  to: number,
  tab: string,
): Promise<unknown> {
  if (figure === 'last') {
    const most = readNumber(count, 'count', 1, 1_000);
    return (await web.samples(ref, from, to, tab)).slice(-most);
  }
  return figureOf(figure, await web.buckets(ref, from, to, tab));
}

/** One number of many buckets; the mean is weighted by the good seconds of each. */
export function figureOf(figure: Exclude<Figure, 'last'>, buckets: readonly Bucket[]): number | null {
  const numbers = (key: 'min' | 'max' | 'delta') => buckets.flatMap((bucket) => bucket[key] ?? []);
  switch (figure) {
    case 'min':
      return numbers('min').reduce<number | null>((least, one) => (least === null || one < least ? one : least), null);
    case 'max':
      return numbers('max').reduce<number | null>((most, one) => (most === null || one > most ? one : most), null);
    case 'delta': {
      const parts = numbers('delta');
      return parts.length === 0 ? null : parts.reduce((sum, one) => sum + one, 0);
    }
    case 'mean': {
      let sum = 0;
      let weight = 0;
      for (const { mean, goodSeconds } of buckets) {
        if (mean === null) continue;
        sum += mean * goodSeconds;
        weight += goodSeconds;
      }
      return weight === 0 ? null : sum / weight;
    }
    default:
      throw new CodedError('FLOWS_BAD_REQUEST', `"${String(figure satisfies never)}" is not a figure`);
  }
}
