import type { PointRef } from '#edge/domain/ids.ts';
import { splitPointRef } from '#edge/domain/ids.ts';
import type { Value } from '#edge/domain/reading.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import type { Wish } from './guest.ts';
import type { FlowMessage, FlowNode, NodeApi } from './node-api.ts';
import { guestOf } from './registry.ts';

interface RequestConfig {
  /** `<device>/<point>`; empty takes `msg.ref`. */
  readonly point: string;
  readonly value: string;
  /** `release` takes the hold back; the others are Node-RED's own: msg, bool, num, str. */
  readonly valueType: string;
  readonly seconds: string | number;
  readonly reason: string;
}

/**
 * `campus request`: asks for a value of an output, as automation (priority 12), for some seconds. The message goes on with core's
 * answer: `msg.payload` = {accepted, outcome, message}. A request that got no answer is an error, for a catch node.
 */
export default function register(RED: NodeApi): void {
  RED.nodes.registerType<RequestConfig>('campus request', function start(config) {
    RED.nodes.createNode(this, config);
    const guest = guestOf(RED.settings);
    if (guest === undefined) {
      this.status({ fill: 'red', shape: 'ring', text: RED._('campus-request.status.noCampus') });
      return;
    }
    this.on('input', (message, send, done) => {
      const ask = async () => {
        const wish = readWish(RED, this, config, message);
        const { accepted, outcome, message: sentence } = await guest.request(wish);
        const fill = accepted ? 'green' : 'yellow';
        this.status({ fill, shape: 'dot', text: `${wish.ref} = ${wish.value ?? '-'}: ${outcome}` });
        send({ ...message, ref: wish.ref, payload: { accepted, outcome, message: sentence } });
      };
      ask().then(
        () => done(),
        (error: unknown) => {
          this.status({ fill: 'red', shape: 'ring', text: messageOf(error) });
          done(error instanceof Error ? error : new Error(messageOf(error)));
        },
      );
    });
  });
}

/** Throws FLOWS_BAD_REQUEST, naming the property that is wrong. */
export function readWish(RED: NodeApi, node: FlowNode, config: RequestConfig, message: FlowMessage): Wish {
  const ref = config.point === '' ? message.ref : config.point;
  if (typeof ref !== 'string' || splitPointRef(ref) === null) {
    throw new CodedError('FLOWS_BAD_REQUEST', `point: "${String(ref)}" is not <device>/<point>`);
  }
  const seconds = Number(config.seconds);
  if (!Number.isFinite(seconds) || seconds < 1 || seconds > 86_400) {
    throw new CodedError('FLOWS_BAD_REQUEST', `seconds: "${config.seconds}" is not between 1 and 86400`);
  }
  const reason = config.reason.trim().slice(0, 256);
  if (reason === '') throw new CodedError('FLOWS_BAD_REQUEST', 'reason: every request says why');
  return { ref: ref as PointRef, value: readValue(RED, node, config, message), seconds, reason };
}

function readValue(RED: NodeApi, node: FlowNode, config: RequestConfig, message: FlowMessage): Value | null {
  if (config.valueType === 'release') return null;
  const value = RED.util.evaluateNodeProperty(config.value, config.valueType, node, message);
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value;
  if (typeof value === 'string' && value.length <= 256) return value;
  throw new CodedError(
    'FLOWS_BAD_REQUEST',
    'value: must be a finite number, true, false, or text of at most 256 characters',
  );
}
