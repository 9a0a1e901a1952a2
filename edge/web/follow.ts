import { z } from 'zod';
import type { Bus, Subscription } from '#edge/bus/bus.ts';
import {
  type Decoded,
  decodeAlarm,
  decodeCampusEvent,
  decodeClipFacts,
  decodeIncident,
  decodeOutputState,
  decodeProcessHealth,
  decodeReading,
} from '#edge/bus/codec.ts';
import { clipFactsTopic, emergencyTopic, filters, parseTopic, soundTopic } from '#edge/bus/topics.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { LiveMessage, LiveState } from './live.ts';

/** Feeds the live state from everything core tells anyone, and from what `broadcast` says of clips. */
export async function followCampus(bus: Bus, live: LiveState, log: Log): Promise<Subscription> {
  await using stack = new AsyncDisposableStack();
  const out = await bus.subscribe(filters.out, (topic, payload) => {
    const message = understand(topic, payload);
    if (message === null) return;
    if ('problem' in message) log.warn({ topic, problem: message.problem }, 'a message of core cannot be read');
    else live.accept(message);
  });
  stack.use(out);
  const clips = await bus.subscribe(clipFactsTopic('broadcast'), (topic, payload) => {
    const decoded = decodeClipFacts(payload);
    if (decoded.ok) live.clipFacts = new Map(decoded.value.map((fact) => [fact.name, fact]));
    else log.warn({ topic, problem: decoded.message }, 'what is known of clips cannot be read');
  });
  stack.use(clips);
  return stack.move();
}

const hintSchema = z.looseObject({ time: z.number() });

/** That something changed; what changed is asked for. */
function decodeHint(payload: Buffer): Decoded<{ readonly time: number }> {
  try {
    return { ok: true, value: { time: hintSchema.parse(JSON.parse(payload.toString())).time } };
  } catch {
    return { ok: false, message: 'must be JSON with the number `time`' };
  }
}

function understand(topic: string, payload: Buffer): LiveMessage | { readonly problem: string } | null {
  if (topic === soundTopic) return wrap('sound', decodeHint(payload));
  if (topic === emergencyTopic) return wrap('emergency', decodeHint(payload));
  const parsed = parseTopic(topic);
  switch (parsed?.kind) {
    case 'reading':
      return wrap('reading', decodeReading(payload));
    case 'campus-event':
      return wrap('event', decodeCampusEvent(payload));
    case 'alarm':
      if (payload.length === 0) return { kind: 'alarm', body: { id: parsed.id, state: 'normal' } };
      return wrap('alarm', decodeAlarm(payload));
    case 'incident':
      // That it is over was told before it was cleared.
      return payload.length === 0 ? null : wrap('incident', decodeIncident(payload));
    case 'output':
      return wrap('output', decodeOutputState(payload));
    case 'health':
      return parsed.process === 'supervisor' ? null : wrap('health', decodeProcessHealth(payload));
    default:
      return null;
  }
}

function wrap<Kind extends string, Body>(
  kind: Kind,
  decoded: { readonly ok: true; readonly value: Body } | { readonly ok: false; readonly message: string },
): { readonly kind: Kind; readonly body: Body } | { readonly problem: string } {
  return decoded.ok ? { kind, body: decoded.value } : { problem: decoded.message };
}
