import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import RED from 'node-red';
import type { Bus } from '#edge/bus/bus.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { within } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import { readIfThere, writeAtomically } from './atomic-file.ts';
import { Blame } from './blame.ts';
import { type BudgetChange, type BudgetLimits, Budgets, defaultBudget } from './budget.ts';
import { type CampusWebAddress, openCampusWeb } from './campus-web.ts';
import { createControl } from './control.ts';
import { CrashNote, readCrashNote } from './crash-note.ts';
import { gate, listenAll } from './gate.ts';
import { type Asker, type Guest, openGuest } from './guest.ts';
import { Meter, type Source } from './meter.ts';
import { registerDoor } from './registry.ts';
import { confirmLoaded, flowsStarted, startTimeout, watchState } from './running.ts';
import { nodeRedSettings, tokenReader } from './settings.ts';
import { type Deployment, type FlowStorage, openStorage } from './storage.ts';
import { checkEntries } from './tab-files.ts';
import { openVersions } from './versions.ts';
import { startWatchdog } from './watchdog.ts';

export interface FlowsOptions {
  /** Loopback addresses; default 127.0.0.1. One that this machine does not have is left out if there is another. */
  readonly hosts?: readonly string[];
  /** 0 takes a free one. */
  readonly port: number;
  readonly flowsFolder: string;
  readonly stateFolder: string;
  /** Connected as the client `flows`. */
  readonly bus: Bus;
  /** New at each start; the web process sends it as `x-campus-token: <secret>:<user>`. */
  readonly proxySecret: string;
  readonly log: Log;
  readonly clock: Clock;
  /** The editor opens, the flows do not run: after a crash loop. */
  readonly safeMode: boolean;
  /** Seconds after which a function node's endless loop is broken; default 2, 0 = never. Does not see asynchronous loops. */
  readonly functionTimeout?: number;
  readonly onDeploy?: (deployment: Deployment) => void;
  /** The web process, for what was; absent: `campus history` and `campus broadcast` say that nobody answers. */
  readonly web?: CampusWebAddress;
  readonly budget?: Partial<BudgetLimits>;
  /** What is to be told of the flows has changed: `problem` or `complaints`. */
  readonly onState?: () => void;
}

export interface FlowsHost extends AsyncDisposable {
  readonly port: number;
  /** Why the flows do not run though the editor is there (missing node types, safe mode); null when they run. */
  readonly problem: string | null;
  /** A sentence for each tab that is over its budget, stopped, or disabled because it ended the process. */
  readonly complaints: readonly string[];
}

let isUsed = false;

/**
 * Starts Node-RED in this process and waits until its flows run, or until it says why they do not: then `problem` says so,
 * because only the editor can mend them. Throws FLOWS_START_TIMEOUT, FLOWS_PORT_TAKEN, FLOWS_HOST_MISSING, FLOWS_ONCE, and what the bus throws.
 * Node-RED can be started once in the life of a process.
 */
export async function startFlows(options: FlowsOptions): Promise<FlowsHost> {
  if (isUsed) throw new CodedError('FLOWS_ONCE', 'Node-RED can be started only once in a process');
  const { bus, clock, log, proxySecret, flowsFolder, stateFolder } = options;
  if (proxySecret.length < 16)
    throw new CodedError('FLOWS_SECRET', 'the proxy secret must have at least 16 characters');
  await using stack = new AsyncDisposableStack();
  await prepareFolder(stateFolder);
  const blame = await Blame.open(stateFolder, readCrashNote(stateFolder), clock, log);
  const note = stack.use(new CrashNote(stateFolder, log));
  const meter = new Meter(clock, (source) => note.run(source));
  const budgets = new Budgets(clock, { ...defaultBudget, ...options.budget });
  const guest = stack.use(await openGuest({ bus, client: 'flows', clock, log, budget: (tab) => budgets.ask(tab) }));
  const versions = await openVersions({ folder: join(stateFolder, 'versions'), clock, log });
  const storage = openStorage({
    flowsFolder,
    stateFolder,
    log,
    versions,
    disabled: () => blame.disabled,
    onDeploy: (deployment) => {
      options.onDeploy?.(deployment);
      blame.forgive(deployment.tabs).then(options.onState, () => {});
    },
  });
  const readToken = tokenReader(proxySecret);
  const names = tabNames(storage);
  const askerOf = (source: Source): Asker => ({ tab: source.tab, origin: originOf(names(source.tab), source) });
  const settings = nodeRedSettings({
    stateFolder,
    storage,
    credentialSecret: await credentialSecret(stateFolder),
    readToken,
    doorToken: registerDoor({
      guest,
      web: options.web === undefined ? null : openCampusWeb(options.web, clock),
      askerOf: (node) => askerOf(meter.sourceOf(node)),
      runAs: (node, act) => meter.runAs(meter.sourceOf(node), act),
    }),
    log,
    clock,
    safeMode: options.safeMode,
    functionTimeout: options.functionTimeout ?? 2,
  });
  // Node-RED listens for upgrades on this one, which itself never listens: only what the gate lets through reaches it.
  const inner = createServer();
  isUsed = true;
  RED.init(inner, settings);
  const state = stack.use(watchState(() => options.onState?.()));
  stack.use(
    startWatchdog({
      hooks: RED.hooks,
      events: RED.events,
      meter,
      budgets,
      log,
      onChange: (change) => {
        options.onState?.();
        tellCore(guest, askerOf, change, log);
      },
    }),
  );
  stack.defer(rememberRejections(meter, note));
  const control = createControl({
    problem: () => state.problem,
    tabs: () => storage.tabs(),
    budgets: () => budgets.view(),
    blamed: () => blame.all,
    versions,
    current: async () => {
      const { rev, flows } = await RED.runtime.flows.getFlows({});
      return { rev, flows: checkEntries(flows, 'flows') };
    },
    deploy: async (flows, rev, user) => {
      await within(
        startTimeout,
        'the deploy',
        RED.runtime.flows.setFlows({ flows: { flows, rev }, deploymentType: 'flows', user }),
      );
    },
    restart: async (user) => {
      log.warn({ user: user.username, why: user.why }, 'the flows are started anew');
      await blame.forgive(blame.disabled);
      const started = flowsStarted();
      await within(startTimeout, 'the start', RED.runtime.flows.setFlows({ deploymentType: 'reload', user }));
      await started.catch(() => {}); // why not is in `problem`
    },
  });
  const create = () => gate(readToken, inner, control);
  const front = await listenAll(create, options.hosts ?? ['127.0.0.1'], options.port, stack);
  stack.defer(() => within(5000, 'stopping Node-RED', RED.stop()));
  const running = flowsStarted();
  await within(startTimeout, 'starting Node-RED', RED.start());
  const problem = await running.then(confirmLoaded, (error: unknown) => {
    if (codeOf(error) !== 'FLOWS_NOT_RUNNING') throw error;
    return messageOf(error);
  });
  if (problem !== null) log.error({ problem }, 'flows do not run');
  const owned = stack.move();
  return {
    port: front,
    get problem() {
      return state.problem;
    },
    get complaints() {
      return [
        ...budgets.view().flatMap(({ tab, why }) => (why === '' ? [] : [`tab "${names(tab)}": ${why}`])),
        ...blame.all
          .filter(({ tab }) => blame.disabled.has(tab))
          .map(
            ({ tab, node, name }) =>
              `tab "${names(tab)}" is disabled: its node "${name || node}" ended the process twice`,
          ),
      ];
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The label of a tab; its id when it has none. */
function tabNames(storage: FlowStorage): (tab: string) => string {
  return (tab) => storage.tabs().find(({ id }) => id === tab)?.label ?? tab;
}

/** Each part at most 60 characters, without what would break a line. */
function originOf(tab: string, { node, name }: Source): string {
  const plain = (text: string) => text.replace(/\p{Cc}+/gu, ' ');
  const clip = (text: string, other: string) => plain(text).trim().slice(0, 60).trim() || other;
  return `flow:${clip(tab, 'tab')}/${clip((name || node).replaceAll('/', '-'), 'node')}`;
}

function tellCore(guest: Guest, askerOf: (source: Source) => Asker, change: BudgetChange, log: Log): void {
  const { tab, state, why, offender } = change;
  const asker = askerOf(offender ?? { tab, node: 'tab', type: 'tab', name: '' });
  guest
    .ask({ ask: 'report', state, message: why.slice(0, 256) }, asker)
    .catch((error: unknown) => log.warn({ problem: messageOf(error) }, 'core could not be told of a budget'));
}

/** A rejection that nobody handles ends the process: whose it was is known in that moment only. */
function rememberRejections(meter: Meter, note: CrashNote): () => void {
  const remember = () => note.run(meter.current());
  process.prependListener('unhandledRejection', remember);
  process.prependListener('uncaughtException', remember);
  return () => {
    process.off('unhandledRejection', remember);
    process.off('uncaughtException', remember);
  };
}

/** Node-RED logs an error at each start when its folder has no package.json. */
async function prepareFolder(stateFolder: string): Promise<void> {
  await mkdir(stateFolder, { recursive: true, mode: 0o700 });
  const file = join(stateFolder, 'package.json');
  if ((await readIfThere(file)) === null) {
    await writeAtomically(file, '{ "name": "campus-flows-state", "private": true, "version": "0.0.1" }\n');
  }
}

/** Losing it loses every password that is in a flow, so it is made once and kept beside them, readable to this user only. */
async function credentialSecret(stateFolder: string): Promise<string> {
  const file = join(stateFolder, 'credential-secret');
  const known = (await readIfThere(file))?.trim();
  if (known !== undefined && known !== '') return known;
  const fresh = randomBytes(32).toString('hex');
  await writeAtomically(file, `${fresh}\n`, 0o600);
  return fresh;
}
