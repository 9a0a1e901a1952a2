import RED from 'node-red';
import waitForFlows from 'node-red-embedded-start';
import { CodedError } from '#edge/runtime/errors.ts';

/** A start (or a deploy) that takes longer has failed, ms. */
export const startTimeout = 30_000;

type StateEvent = { id?: string; payload?: { error?: string; types?: unknown; modules?: unknown } };

/** What Node-RED says of whether the flows run, from now on. */
export function watchState(onChange: () => void): { readonly problem: string | null } & Disposable {
  let problem: string | null = null;
  const enter = (next: string | null) => {
    const isNews = next !== problem;
    problem = next;
    if (isNews) onChange();
  };
  const onStarted = () => enter(null);
  const onEvent = (event: StateEvent) => {
    const what = problemOf(event);
    if (what !== null) enter(what);
  };
  RED.events.on('flows:started', onStarted);
  RED.events.on('runtime-event', onEvent);
  return {
    get problem() {
      return problem;
    },
    [Symbol.dispose]() {
      RED.events.off('flows:started', onStarted);
      RED.events.off('runtime-event', onEvent);
    },
  };
}

function problemOf({ id, payload }: StateEvent): string | null {
  const error = id === 'runtime-state' ? payload?.error : undefined;
  if (error === undefined) return null;
  const detail = payload?.types ?? payload?.modules;
  return detail === undefined ? error : `${error}: ${JSON.stringify(detail)}`;
}

/** Resolves when the flows run; rejects with FLOWS_NOT_RUNNING or FLOWS_START_TIMEOUT. Must be called before RED.start(). */
export function flowsStarted(): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const late = `flows did not start within ${startTimeout / 1000} s`;
  const timer = setTimeout(() => reject(new CodedError('FLOWS_START_TIMEOUT', late)), startTimeout);
  const onState = (event: StateEvent) => {
    const what = problemOf(event);
    if (what !== null) reject(new CodedError('FLOWS_NOT_RUNNING', what));
  };
  RED.events.once('flows:started', resolve);
  RED.events.on('runtime-event', onState);
  // RED.start() may fail first, and then nobody waits for this.
  promise.catch(() => undefined);
  return promise.finally(() => {
    clearTimeout(timer);
    RED.events.off('flows:started', resolve);
    RED.events.off('runtime-event', onState);
  });
}

/**
 * node-red-embedded-start 1.0.1 waits in a way that no Node-RED since 1.0 has, but it looks whether flows are loaded first: after
 * our own wait that is a confirmation, and a contradiction would be an error here.
 */
export async function confirmLoaded(): Promise<null> {
  return waitForFlows(RED, startTimeout, null);
}
