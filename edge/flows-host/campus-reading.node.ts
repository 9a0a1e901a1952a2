import type { Subscription } from '#edge/bus/bus.ts';
import type { Quality, Reading } from '#edge/domain/reading.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import type { NodeApi } from './node-api.ts';
import { guestOf } from './registry.ts';

interface ReadingConfig {
  /** `<device>/<point>`, with `*` within a segment. */
  readonly point: string;
  /** Also tell when a reading is no longer good, or good again. */
  readonly qualityChanges: boolean;
}

/** Points of one node whose quality is remembered. */
const mostPoints = 10_000;

/**
 * `campus reading`: one message for each good reading of the points, the present ones first. `msg.payload` is the value,
 * beside it `ref`, `topic` (the same), `quality`, `reason`, `unit`, `sourceTime` (ms since epoch UTC).
 */
export default function register(RED: NodeApi): void {
  RED.nodes.registerType<ReadingConfig>('campus reading', function start(config) {
    RED.nodes.createNode(this, config);
    const guest = guestOf(RED.settings);
    if (guest === undefined) {
      this.status({ fill: 'red', shape: 'ring', text: RED._('campus-reading.status.noCampus') });
      return;
    }
    const qualities = new Map<string, Quality>();
    const onReading = (reading: Reading) => {
      const changed = qualities.get(reading.ref) !== reading.quality;
      if (qualities.size >= mostPoints) qualities.clear();
      qualities.set(reading.ref, reading.quality);
      const isGood = reading.quality === 'good';
      if (changed) this.status({ fill: isGood ? 'green' : 'yellow', shape: 'dot', text: describe(reading) });
      if (isGood || (config.qualityChanges && changed)) this.send(toMessage(reading));
    };
    const watching: Promise<Subscription | null> = guest.watch(config.point, onReading).catch((error: unknown) => {
      this.status({ fill: 'red', shape: 'ring', text: messageOf(error) });
      this.error(messageOf(error));
      return null;
    });
    this.on('close', (_removed, done) => {
      watching
        .then((subscription) => subscription?.[Symbol.asyncDispose]())
        .catch((error: unknown) => this.error(messageOf(error)))
        .finally(done);
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
