import type { PointRef } from '#edge/domain/ids.ts';
import { splitPointRef } from '#edge/domain/ids.ts';
import type { OutputState, RequestResult } from '#edge/domain/output.ts';
import type { Value } from '#edge/domain/reading.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { Wish } from './guest.ts';
import {
  type FlowMessage,
  type FlowNode,
  keepWatching,
  type NodeApi,
  onInput,
  readList,
  readNumber,
  registerCampusNode,
} from './node-api.ts';
import type { Door } from './registry.ts';

interface HoldConfig {
  /** `<device>/<point>`; empty takes `msg.ref`. */
  readonly point: string;
  readonly value: string;
  /** `release` takes the hold back; the others are Node-RED's own: msg, bool, num, str. */
  readonly valueType: string;
  readonly seconds: string | number;
  readonly reason: string;
}

/**
 * `campus hold`: asks for a value of an output, as automation (priority 12), for some seconds. The message goes on with core's
 * answer: `msg.payload` = {accepted, outcome, message, holder}. A request that got no answer is an error, for a catch node.
 */
export function registerHold(RED: NodeApi): void {
  registerCampusNode<HoldConfig>(RED, 'campus hold', (node, config, door) => {
    const { guest } = door;
    const asker = () => door.askerOf(node);
    let state: OutputState | null = null;
    const ref = fixedRef(config.point);
    if (ref !== null) {
      const onOutput = (output: OutputState) => {
        state = output;
        node.status(describe(output, asker().origin));
      };
      keepWatching(node, guest.watchOutput(ref, onOutput));
    }
    onInput(node, async (message) => {
      const wish = readWish(RED, node, config, message);
      const { accepted, outcome, message: sentence } = await guest.request(wish, asker());
      if (ref === null || !accepted) showAnswer(node, wish, { accepted, outcome });
      const holder = state === null || state.ref !== wish.ref ? null : state.holder;
      return { ...message, ref: wish.ref, payload: { accepted, outcome, message: sentence, holder } };
    });
  });
}

function showAnswer(
  node: FlowNode,
  wish: Wish,
  { accepted, outcome }: Pick<RequestResult, 'accepted' | 'outcome'>,
): void {
  const text = `${wish.ref} = ${wish.value ?? '-'}: ${outcome}`;
  node.status({ fill: accepted ? 'green' : 'yellow', shape: 'dot', text });
}

/** Who holds it: green for this node, yellow for somebody stronger or another flow. */
function describe(output: OutputState, origin: string): Parameters<FlowNode['status']>[0] {
  const { holder, value, stack } = output;
  if (holder === null) return { fill: 'grey', shape: 'ring', text: '-' };
  const [top] = stack;
  const isOurs = holder === 'request:flows' && (top?.origin === undefined || top.origin === origin);
  const who = holder === 'request:flows' ? (top?.origin ?? holder) : holder;
  return isOurs
    ? { fill: 'green', shape: 'dot', text: `= ${String(value)}` }
    : { fill: 'yellow', shape: 'dot', text: `= ${String(value)}: ${who}` };
}

function fixedRef(point: string): PointRef | null {
  return splitPointRef(point) === null ? null : (point as PointRef);
}

/** Throws FLOWS_BAD_REQUEST, naming the property that is wrong. */
export function readWish(RED: NodeApi, node: FlowNode, config: HoldConfig, message: FlowMessage): Wish {
  const ref = config.point === '' ? message.ref : config.point;
  if (typeof ref !== 'string' || splitPointRef(ref) === null) {
    throw new CodedError('FLOWS_BAD_REQUEST', `point: "${String(ref)}" is not <device>/<point>`);
  }
  const seconds = readNumber(config.seconds, 'seconds', 1, 86_400);
  return {
    ref: ref as PointRef,
    value: readValue(RED, node, config, message),
    seconds,
    reason: readReason(config.reason),
  };
}

function readReason(given: string): string {
  const reason = given.trim().slice(0, 256);
  if (reason === '') throw new CodedError('FLOWS_BAD_REQUEST', 'reason: every request says why');
  return reason;
}

function readValue(RED: NodeApi, node: FlowNode, config: HoldConfig, message: FlowMessage): Value | null {
  if (config.valueType === 'release') return null;
  const value = RED.util.evaluateNodeProperty(config.value, config.valueType, node, message);
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value;
  if (typeof value === 'string' && value.length <= 256) return value;
  throw new CodedError(
    'FLOWS_BAD_REQUEST',
    'value: must be a finite number, true, false, or text of at most 256 characters',
  );
}

interface BroadcastConfig {
  readonly clip: string;
  /** Ids of zones parted by commas; `all` is everywhere; '' takes `msg.zones`. */
  readonly zones: string;
  readonly seconds: string | number;
  readonly reason: string;
}

/** Loudspeakers that one message may reach. */
const mostSpeakers = 25;

/**
 * `campus broadcast`: every loudspeaker of the zones plays the clip, as automation (priority 12): it is silent where anybody
 * stronger speaks. `msg.payload` false stops it. The message goes on with `msg.payload` = {accepted, refused: [{speaker, outcome}]}.
 */
export function registerBroadcast(RED: NodeApi): void {
  registerCampusNode<BroadcastConfig>(RED, 'campus broadcast', (node, config, door) => {
    onInput(node, async (message) => {
      const speakers = await findSpeakers(config.zones === '' ? message.zones : config.zones, door, node);
      const seconds = readNumber(config.seconds, 'seconds', 1, 86_400);
      const reason = readReason(config.reason);
      const value = message.payload === false ? null : config.clip;
      if (value === '') throw new CodedError('FLOWS_BAD_REQUEST', 'clip: no clip is chosen');
      const refused: { speaker: string; outcome: string }[] = [];
      for (const speaker of speakers) {
        const wish = { ref: `${speaker}/clip` as PointRef, value, seconds, reason };
        const { accepted, outcome } = await door.guest.request(wish, door.askerOf(node));
        if (!accepted) refused.push({ speaker, outcome });
      }
      const accepted = speakers.length - refused.length;
      const text = `${value ?? '-'}: ${accepted}/${speakers.length}${refused[0] === undefined ? '' : ` (${refused[0].outcome})`}`;
      node.status({ fill: refused.length === 0 ? 'green' : 'yellow', shape: 'dot', text });
      return { ...message, payload: { accepted, refused } };
    });
  });
}

async function findSpeakers(zones: unknown, { web, askerOf }: Door, node: FlowNode): Promise<readonly string[]> {
  if (web === null) throw new CodedError('FLOWS_NO_ANSWER', 'nobody here knows the loudspeakers');
  const wanted = Array.isArray(zones) ? zones.map(String) : readList(zones);
  if (wanted.length === 0) throw new CodedError('FLOWS_BAD_REQUEST', 'zones: name zones, or all');
  const found = await web.speakers(wanted.includes('all') ? 'all' : wanted, askerOf(node).tab);
  if (found.length === 0) throw new CodedError('FLOWS_BAD_REQUEST', `zones: no loudspeaker is in ${wanted.join(', ')}`);
  if (found.length > mostSpeakers) {
    throw new CodedError(
      'FLOWS_BAD_REQUEST',
      `zones: ${found.length} loudspeakers; a flow reaches ${mostSpeakers} at a time`,
    );
  }
  return found;
}
