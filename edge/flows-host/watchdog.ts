import type { EventEmitter } from 'node:events';
import flowUtil, { type RunningFlow } from '@node-red/runtime/lib/flows/util.js';
import { messageOf } from '#edge/runtime/errors.ts';
import { Ticker, within } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { BudgetChange, Budgets } from './budget.ts';
import type { FlowHooks, Meter, Source } from './meter.ts';

export interface WatchdogOptions {
  readonly hooks: FlowHooks;
  readonly events: EventEmitter;
  readonly meter: Meter;
  readonly budgets: Budgets;
  readonly log: Log;
  /** Told of each tab that goes over its budget, is stopped, or is within it again. */
  readonly onChange: (change: BudgetChange) => void;
  /** Between two looks, ms. */
  readonly every?: number;
}

const stopTimeout = 20_000;

/**
 * Looks once a second at what each tab took, and acts: marks the offender in the editor, refuses the tab's requests (through
 * `budgets`), and stops the tab when it goes on. The others run as before.
 */
export function startWatchdog({ hooks, events, meter, budgets, log, onChange, every }: WatchdogOptions): Disposable {
  const running = new Map<string, RunningFlow>();
  const halted = new Set<string>();
  const stack = new DisposableStack();
  stack.use(meter);
  meter.watch(hooks);
  stack.defer(watchCreation(meter, (tab, flow) => running.set(tab, flow)));

  const act = (what: string, work: Promise<unknown>) => {
    within(stopTimeout, what, work).catch((error: unknown) =>
      log.error({ problem: messageOf(error) }, `${what} failed`),
    );
  };
  const halt = (tab: string) => {
    halted.add(tab);
    const flow = running.get(tab);
    if (flow !== undefined) act('stopping a tab', flow.stop());
  };
  const resume = (tab: string) => {
    if (!halted.delete(tab)) return;
    const flow = running.get(tab);
    if (flow !== undefined) act('starting a tab', flow.start());
  };
  const hear = (change: BudgetChange) => {
    const { tab, state, why, offender } = change;
    if (offender !== null) showAt(events, offender, state === 'within' ? null : why);
    if (state === 'halted') halt(tab);
    else resume(tab);
    const fields = { tab, node: offender?.node, name: offender?.name, why };
    if (state === 'within') log.info(fields, 'a tab is within its budget again');
    else
      log.warn(
        fields,
        state === 'halted' ? 'a tab is stopped: it went on over its budget' : 'a tab is over its budget',
      );
    onChange(change);
  };
  // Node-RED starts whatever does not run with every deploy: then the stopped ones have their new beginning.
  const onStarted = () => {
    for (const tab of halted) {
      const change = budgets.forgive(tab);
      if (change !== null) onChange(change);
    }
    halted.clear();
  };
  const onStarting = ({ config }: { config?: { flows?: readonly { id: string }[] } }) => {
    const there = new Set(config?.flows?.map(({ id }) => id));
    for (const tab of running.keys()) if (!there.has(tab)) running.delete(tab);
  };
  events.on('flows:started', onStarted);
  events.on('flows:starting', onStarting);
  stack.defer(() => {
    events.off('flows:started', onStarted);
    events.off('flows:starting', onStarting);
  });
  stack.use(
    new Ticker(every ?? 1_000, () => {
      for (const change of budgets.judge(meter.look())) hear(change);
    }),
  );
  return stack;
}

/** The mark at the node, as everybody who has the editor open sees it. */
function showAt(events: EventEmitter, { node }: Source, text: string | null): void {
  const status = text === null ? {} : { fill: 'red', shape: 'ring', text };
  events.emit('node-status', { id: node, status });
}

/** Setup code of a node runs while it is made: that is its own deed, too. Ends with the returned function. */
function watchCreation(meter: Meter, onFlow: (tab: string, flow: RunningFlow) => void): () => void {
  const create = flowUtil.createNode;
  flowUtil.createNode = (flow, config) => {
    const [tab = flow.id] = flow.path.split('/');
    if (flow.TYPE === 'flow' && flow.isGlobalFlow !== true) onFlow(tab, flow);
    const source = { tab, node: config.id, type: config.type, name: config.name ?? '' };
    return meter.runAs(source, () => create(flow, config));
  };
  return () => {
    flowUtil.createNode = create;
  };
}
