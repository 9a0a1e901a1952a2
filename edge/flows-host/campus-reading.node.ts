import type { Reading } from '#edge/domain/reading.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { keepWatching, type NodeApi, readNumber, registerCampusNode } from './node-api.ts';
import { ReadingFilter } from './reading-filter.ts';

interface ReadingConfig {
  /** `<device>/<point>`, with `*` within a segment. */
  readonly point: string;
  /** Smallest change of a number; '' or 0: every reading. */
  readonly delta?: string | number;
  /** At most one message of a point in so many seconds; '' or 0: no limit. */
  readonly period?: string | number;
  /** Also tell when a reading is no longer good, or good again. */
  readonly qualityChanges: boolean;
}

/**
 * `campus reading`: a message for each good reading of the points that passes the filter, the present ones first. `msg.payload`
 * is the value, beside it `ref`, `topic` (the same), `quality`, `reason`, `unit`, `sourceTime` (ms since epoch UTC).
 */
export function registerReading(RED: NodeApi): void {
  registerCampusNode<ReadingConfig>(RED, 'campus reading', (node, config, { guest, runAs }) => {
    const filter = new ReadingFilter({
      delta: readNumber(config.delta || 0, 'delta', 0, 1e12),
      period: readNumber(config.period || 0, 'period', 0, 86_400) * 1_000,
      qualityChanges: config.qualityChanges,
      clock: systemClock,
      send: (reading) => node.send(toMessage(reading)),
    });
    const onReading = (reading: Reading) =>
      runAs(node, () => {
        const isGood = reading.quality === 'good';
        const isNews = filter.take(reading);
        if (isNews) node.status({ fill: isGood ? 'green' : 'yellow', shape: 'dot', text: describe(reading) });
      });
    keepWatching(node, guest.watch(config.point, onReading));
    node.on('close', (_removed, done) => {
      filter[Symbol.dispose]();
      done();
    });
  });
}

function describe({ ref, quality, reason }: Reading): string {
  return `${ref}: ${reason === undefined ? quality : `${quality}/${reason}`}`;
}

function toMessage(reading: Reading): Record<string, unknown> {
  const { ref, value, quality, reason, unit, sourceTime } = reading;
  return { topic: ref, ref, payload: value, quality, reason, unit, sourceTime };
}
