import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import type { Clock } from '#edge/runtime/clock.ts';

/** A node of a tab, as what it does is put down to it. */
export interface Source {
  readonly tab: string;
  readonly node: string;
  readonly type: string;
  readonly name: string;
}

/** What one tab took since the last look. */
export interface TabUsage {
  /** CPU, ms. */
  readonly busy: number;
  /** Received by its nodes. */
  readonly messages: number;
  /** Whose node took most of the CPU; null when none ran. */
  readonly busiest: Source | null;
  /** Whose node received most messages. */
  readonly fullest: Source | null;
}

/** What we use of Node-RED's hooks. */
export interface FlowHooks {
  add(name: string, handler: (event: HookEvent) => undefined): void;
}
interface HookNode {
  readonly id: string;
  readonly type: string;
  readonly name?: string;
  readonly z?: string;
  /** `<tab>/<instances of subflows...>/<node>`. */
  readonly _path?: string;
}
interface HookEvent {
  readonly destination: { readonly node?: HookNode };
}

interface Taken {
  busy: number;
  messages: number;
}

/** Nodes that are remembered between two looks. */
const mostNodes = 20_000;
/** Callbacks within callbacks: more are a mistake of ours. */
const deepest = 1_000;

/**
 * Knows at each moment which node runs, and adds up what it takes: its handlers, and whatever comes of them later (timers,
 * promises, sockets), by the asynchronous context that they inherit. Only one of a process can be at work. What a function node
 * does to escape this costs it nothing but its own process: the caps of the process hold whatever is measured here.
 */
export class Meter implements Disposable {
  readonly #clock: Clock;
  readonly #onRun: (source: Source | null) => void;
  readonly #context = new AsyncLocalStorage<Source | null>();
  readonly #hook: ReturnType<typeof createHook>;
  readonly #sources = new WeakMap<object, Source>();
  readonly #taken = new Map<Source, Taken>();
  readonly #stack: (Source | null)[] = [];
  #running: Source | null = null;
  #since: number;
  #cpu = process.cpuUsage();

  /** `onRun`: told of each change, within microseconds and in that very turn; null: nobody's code runs. */
  constructor(clock: Clock, onRun: (source: Source | null) => void = () => {}) {
    this.#clock = clock;
    this.#onRun = onRun;
    this.#since = clock.monotonic();
    this.#hook = createHook({
      before: () => {
        if (this.#stack.length >= deepest) this.#stack.length = 0;
        this.#stack.push(this.#running);
        this.#switch(this.#context.getStore() ?? null);
      },
      after: () => this.#switch(this.#stack.pop() ?? null),
    });
  }

  /** Begins. Node-RED's nodes tell by its hooks when they receive. */
  watch(hooks: FlowHooks): void {
    this.#hook.enable();
    const before: (Source | null)[] = [];
    hooks.add('onReceive.campusMeter', ({ destination: { node } }) => {
      const source = node === undefined ? null : this.sourceOf(node);
      if (source !== null) this.#takenBy(source).messages++;
      if (before.length >= deepest) before.length = 0;
      before.push(this.#context.getStore() ?? null);
      this.#context.enterWith(source);
      this.#switch(source);
    });
    hooks.add('postReceive.campusMeter', () => {
      // A node that calls another one directly (link call) goes on as itself.
      const source = before.pop() ?? null;
      this.#context.enterWith(source);
      this.#switch(source);
    });
  }

  /** Runs `act` as a deed of the node: its constructor, a subscription of it. */
  runAs<T>(source: Source, act: () => T): T {
    const before = this.#running;
    this.#switch(source);
    try {
      return this.#context.run(source, act);
    } finally {
      this.#switch(before);
    }
  }

  /** Whose asynchronous context this is; also where nobody's code runs just now. */
  current(): Source | null {
    return this.#context.getStore() ?? null;
  }

  sourceOf(node: HookNode): Source {
    const known = this.#sources.get(node);
    if (known !== undefined) return known;
    const tab = node._path?.split('/')[0] ?? node.z ?? 'global';
    const source: Source = Object.freeze({ tab, node: node.id, type: node.type, name: node.name ?? '' });
    this.#sources.set(node, source);
    return source;
  }

  /** What each tab took since the last call. Time that the process stood aside for others (it is nice) is not counted. */
  look(): ReadonlyMap<string, TabUsage> {
    this.#switch(this.#running);
    const { user, system } = process.cpuUsage(this.#cpu);
    this.#cpu = process.cpuUsage();
    let wall = 0;
    for (const { busy } of this.#taken.values()) wall += busy;
    const share = wall === 0 ? 1 : Math.min(1, (user + system) / 1000 / wall);
    const tabs = new Map<string, TabUsage & { most: number; fullestCount: number }>();
    for (const [source, { busy, messages }] of this.#taken) {
      const tab = tabs.get(source.tab) ?? {
        busy: 0,
        messages: 0,
        busiest: null,
        fullest: null,
        most: 0,
        fullestCount: 0,
      };
      tabs.set(source.tab, {
        busy: tab.busy + busy * share,
        messages: tab.messages + messages,
        busiest: busy > tab.most ? source : tab.busiest,
        fullest: messages > tab.fullestCount ? source : tab.fullest,
        most: Math.max(busy, tab.most),
        fullestCount: Math.max(messages, tab.fullestCount),
      });
    }
    this.#taken.clear();
    return tabs;
  }

  #takenBy(source: Source): Taken {
    const known = this.#taken.get(source);
    if (known !== undefined) return known;
    if (this.#taken.size >= mostNodes) this.#taken.clear();
    const fresh = { busy: 0, messages: 0 };
    this.#taken.set(source, fresh);
    return fresh;
  }

  #switch(next: Source | null): void {
    const last = this.#running;
    if (last === null && next === null) return;
    const now = this.#clock.monotonic();
    if (last !== null) this.#takenBy(last).busy += now - this.#since;
    this.#since = now;
    this.#running = next;
    // Nothing that comes of the note is the node's own.
    if (last !== next) this.#context.run(null, this.#onRun, next);
  }

  [Symbol.dispose](): void {
    this.#hook.disable();
  }
}
