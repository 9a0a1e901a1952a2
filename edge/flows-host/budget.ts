import { TokenBucket } from '#edge/bus/admission.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import type { Source, TabUsage } from './meter.ts';

/** What a tab may take. A tab that stays within half of it is never noticed. */
export interface BudgetLimits {
  /** Messages a second that its nodes receive, over `window`. */
  readonly messages: number;
  /** Share of one core, over `window`. */
  readonly cpu: number;
  /** ms over which is reckoned. */
  readonly window: number;
  /** Requests at once, and then a second. */
  readonly requestBurst: number;
  readonly requestsPerSecond: number;
  /** Requests refused within a window that make the tab an offender. */
  readonly refused: number;
  /** Over budget for so long, ms: it is stopped. */
  readonly haltAfter: number;
  /** For so long, ms; unless it is deployed. */
  readonly haltFor: number;
}

export const defaultBudget: BudgetLimits = {
  messages: 200,
  cpu: 0.3,
  window: 10_000,
  requestBurst: 30,
  requestsPerSecond: 5,
  refused: 100,
  haltAfter: 60_000,
  haltFor: 600_000,
};

export type TabState = 'within' | 'over-budget' | 'halted';

export interface TabBudget {
  readonly tab: string;
  readonly state: TabState;
  /** ms since epoch. */
  readonly since: number;
  /** Messages a second, share of a core and requests a minute, over the last window. */
  readonly messages: number;
  readonly cpu: number;
  readonly requests: number;
  readonly refused: number;
  /** What is too much, in a sentence; '' while it is within. */
  readonly why: string;
  readonly offender: Source | null;
}

/** A change that people, the editor and core are told of. */
export interface BudgetChange {
  readonly tab: string;
  readonly state: TabState;
  readonly why: string;
  readonly offender: Source | null;
}

interface Slice {
  readonly time: number;
  readonly ms: number;
  readonly busy: number;
  readonly messages: number;
  readonly requests: number;
  readonly refused: number;
}

interface Account {
  state: TabState;
  since: number;
  /** Monotonic: when it went over, or was halted. */
  at: number;
  why: string;
  offender: Source | null;
  readonly bucket: TokenBucket;
  slices: Slice[];
  requests: number;
  refused: number;
}

const mostTabs = 2_000;

/** The accounts of all tabs. Pure bookkeeping: who acts on the changes is `host`. */
export class Budgets {
  readonly #limits: BudgetLimits;
  readonly #clock: Clock;
  readonly #accounts = new Map<string, Account>();
  #looked: number;

  constructor(clock: Clock, limits: BudgetLimits = defaultBudget) {
    this.#clock = clock;
    this.#limits = limits;
    this.#looked = clock.monotonic();
  }

  /** null: the tab may ask. Else why its request is refused. */
  ask(tab: string): string | null {
    const account = this.#account(tab);
    if (account.state === 'within' && account.bucket.available() >= 1) {
      account.bucket.spend(1);
      account.requests++;
      return null;
    }
    account.refused++;
    if (account.state !== 'within') return account.why;
    const { requestsPerSecond, requestBurst } = this.#limits;
    return `more than ${requestsPerSecond} requests a second (${requestBurst} at once)`;
  }

  /** About once a second, with what each tab took since the last time. */
  judge(usage: ReadonlyMap<string, TabUsage>): readonly BudgetChange[] {
    const now = this.#clock.monotonic();
    const ms = Math.max(1, now - this.#looked);
    this.#looked = now;
    for (const tab of usage.keys()) this.#account(tab);
    const changes: BudgetChange[] = [];
    for (const [tab, account] of this.#accounts) {
      const took = usage.get(tab);
      const { requests, refused } = account;
      account.requests = 0;
      account.refused = 0;
      const slice = { time: now, ms, busy: took?.busy ?? 0, messages: took?.messages ?? 0, requests, refused };
      account.slices = [...account.slices, slice].filter(({ time }) => now - time < this.#limits.window);
      const change = this.#settle(tab, account, took, now);
      if (change !== null) changes.push(change);
    }
    return changes;
  }

  /** It was deployed: a new beginning. */
  forgive(tab: string): BudgetChange | null {
    const was = this.#accounts.get(tab);
    this.#accounts.delete(tab);
    return was === undefined || was.state === 'within' ? null : { tab, state: 'within', why: '', offender: null };
  }

  view(): readonly TabBudget[] {
    return [...this.#accounts].map(([tab, account]) => {
      const { state, since, why, offender } = account;
      const sum = this.#sum(account);
      const per = (count: number, unit: number) => Math.round((count / sum.ms) * unit * 10) / 10;
      const cpu = Math.round((sum.busy / sum.ms) * 1_000) / 1_000;
      const figures = { messages: per(sum.messages, 1_000), cpu, requests: per(sum.requests, 60_000) };
      return { tab, state, since, ...figures, refused: sum.refused, why, offender };
    });
  }

  #settle(tab: string, account: Account, took: TabUsage | undefined, now: number): BudgetChange | null {
    const { haltAfter, haltFor } = this.#limits;
    const enter = (state: TabState, why: string): BudgetChange => {
      account.state = state;
      account.since = this.#clock.now();
      account.at = now;
      account.why = why;
      return { tab, state, why, offender: account.offender };
    };
    if (account.state === 'halted') {
      if (now - account.at < haltFor) return null;
      account.slices = [];
      return enter('within', '');
    }
    const why = this.#tooMuch(account, account.state === 'within' ? 1 : 0.7);
    if (why === null) return account.state === 'within' ? null : enter('within', '');
    const worst = why.kind === 'messages' ? took?.fullest : took?.busiest;
    account.offender = worst ?? account.offender;
    if (account.state === 'within') return enter('over-budget', why.text);
    account.why = why.text;
    if (now - account.at < haltAfter) return null;
    return enter('halted', `${why.text}; stopped for ${Math.round(haltFor / 60_000)} min, or until it is deployed`);
  }

  /** `scale` below 1: what was over must come well below before it is within. */
  #tooMuch(account: Account, scale: number): { kind: 'cpu' | 'messages' | 'requests'; text: string } | null {
    const { messages, cpu, refused, window } = this.#limits;
    const sum = this.#sum(account);
    // A short burst is judged by what it would be over the whole window.
    const share = sum.busy / window;
    if (share > cpu * scale)
      return { kind: 'cpu', text: `takes ${percent(sum.busy / sum.ms)} of a core (${percent(cpu)} are free)` };
    const rate = (sum.messages / window) * 1_000;
    if (rate > messages * scale)
      return { kind: 'messages', text: `moves ${Math.round(rate)} messages a second (${messages} are free)` };
    if (sum.refused > refused * scale)
      return { kind: 'requests', text: `asks without end: ${sum.refused} requests refused within ${window / 1_000} s` };
    return null;
  }

  #sum({ slices }: Account): Omit<Slice, 'time'> {
    const sum = { ms: 0, busy: 0, messages: 0, requests: 0, refused: 0 };
    for (const slice of slices) {
      sum.ms += slice.ms;
      sum.busy += slice.busy;
      sum.messages += slice.messages;
      sum.requests += slice.requests;
      sum.refused += slice.refused;
    }
    return { ...sum, ms: Math.max(1, sum.ms) };
  }

  #account(tab: string): Account {
    const known = this.#accounts.get(tab);
    if (known !== undefined) return known;
    if (this.#accounts.size >= mostTabs) {
      const [oldest] = this.#accounts.keys();
      if (oldest !== undefined) this.#accounts.delete(oldest);
    }
    const { requestsPerSecond, requestBurst } = this.#limits;
    const fresh: Account = {
      state: 'within',
      since: this.#clock.now(),
      at: this.#clock.monotonic(),
      why: '',
      offender: null,
      bucket: new TokenBucket(requestsPerSecond, requestBurst, this.#clock),
      slices: [],
      requests: 0,
      refused: 0,
    };
    this.#accounts.set(tab, fresh);
    return fresh;
  }
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
