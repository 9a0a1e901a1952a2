import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { Command, CommandResult, Hold, Priority } from '#edge/domain/output.ts';
import type { Value } from '#edge/domain/reading.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { Desk, forbidOf, holdOf, letGo, permitOf, place, point, ref, started } from './desk.ts';
import { drop, expire, isBarred, type OutputModel, put, tooSoon, winnerOf } from './model.ts';

/*
 * Whatever happens in whatever order: requests, what rules decide, answers that are good, bad, late or never come, readings,
 * hands on switches, expiries, drivers and devices that come and go, clocks that are set, disks that refuse, and restarts.
 */

const local = 30_000;
const points = [
  ...place('relay', 'fieldbus', [
    point('a', 'boolean', { minOn: 5_000, minOff: 8_000, maxPerHour: 3, localOverride: local }),
    point('b', 'boolean', { failSafe: false, minGap: 1_000 }),
    point('c', 'boolean', { failSafe: true, minOff: 8_000, localOverride: local }),
  ]),
  ...place('dimmer', 'camera', [point('d', 'number', { min: 0, max: 100, maxPerHour: 2 })]),
];
const refs = ['relay/a', 'relay/b', 'relay/c', 'dimmer/d'] as const;
type Ref = (typeof refs)[number];

/** Booleans as they are; the dimmer has three values. */
const nthValue = (output: Ref, n: number): Value => (output === 'dimmer/d' ? ([0, 40, 100][n % 3] ?? 0) : n % 2 === 1);

const output = fc.constantFrom(...refs);
const nth = fc.nat(5);
const safety = fc.constantFrom<[string, Priority]>(['interlock:fire', 1], ['interlock:load', 5]);
const rule = fc.oneof(safety, fc.constant<[string, Priority]>(['rule:night', 12]));
/** Its steps, so many times as likely as a rare one. */
function often<T extends string, R extends object>(
  weight: number,
  name: T,
  rest: { [K in keyof R]: fc.Arbitrary<R[K]> },
) {
  const arbitrary = fc.record(rest).map((what) => ({ ...(what as R), do: name }));
  return { weight, arbitrary };
}

interface Ask {
  readonly output: Ref;
  readonly n: number;
  readonly web: boolean;
  readonly seconds: number;
}
interface Decision {
  readonly output: Ref;
  readonly n: number;
  readonly rule: [owner: string, priority: Priority];
}
interface Answer {
  /** Of the newest command, or of one so many before it. */
  readonly back: number;
  readonly outcome: CommandResult['outcome'];
  /** The device did it, whatever was answered. */
  readonly did: boolean;
}

const outcomes = ['done', 'done', 'done', 'mismatch', 'failed', 'expired'] as const;
const processes = ['fieldbus', 'camera'] as const;
const seconds = fc.integer({ min: 1, max: 300 });
const step = fc.oneof(
  often<'ask', Ask>(5, 'ask', { output, n: nth, web: fc.boolean(), seconds }),
  often<'letGo', Pick<Ask, 'output' | 'web'>>(2, 'letGo', { output, web: fc.boolean() }),
  often<'hold', Decision & { lasts: number | null }>(4, 'hold', { output, n: nth, rule, lasts: fc.option(seconds) }),
  often<'relinquish', Pick<Decision, 'output' | 'rule'>>(3, 'relinquish', { output, rule }),
  often<'forbid', Decision>(2, 'forbid', { output, n: nth, rule: safety }),
  often<'permit', Pick<Decision, 'output' | 'rule'>>(2, 'permit', { output, rule: safety }),
  often<'answer', Answer>(10, 'answer', { back: fc.nat(3), outcome: fc.constantFrom(...outcomes), did: fc.boolean() }),
  often<'read', { isGood: boolean }>(6, 'read', { isGood: fc.boolean() }),
  // Every device has done what it was told last, and says so.
  often<'obey', object>(5, 'obey', {}),
  // A sample that was overtaken on its way.
  often<'readOld', Pick<Ask, 'output' | 'n'>>(2, 'readOld', { output, n: nth }),
  often<'hand', Pick<Ask, 'output' | 'n'>>(5, 'hand', { output, n: nth }),
  // All is calm, then somebody turns a switch and leaves it so.
  often<'turn', Pick<Ask, 'output' | 'n'>>(4, 'turn', { output, n: nth }),
  often<'up', { process: string }>(2, 'up', { process: fc.constantFrom(...processes) }),
  often<'down', { process: string }>(1, 'down', { process: fc.constantFrom(...processes) }),
  often<'online', { device: string }>(1, 'online', { device: fc.constantFrom('relay', 'dimmer') }),
  often<'pass', { ms: number }>(10, 'pass', { ms: fc.constantFrom(250, 1_000, 4_000, 9_000, 60_000) }),
  often<'clock', { ms: number }>(1, 'clock', { ms: fc.constantFrom(-86_400_000, -7_000, 5_000, 3_600_000) }),
  often<'disk', { works: boolean }>(1, 'disk', { works: fc.boolean() }),
  often<'restart', { down: number }>(1, 'restart', { down: fc.constantFrom(100, 20_000, 400_000) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** One campus, its devices as they really are, and what must be true of it. */
class Life {
  readonly clock = new ManualClock(started);
  readonly models = new Map<Ref, OutputModel>();
  /** What the devices really have, and what of it was last told. */
  readonly devices = new Map<Ref, Value>();
  readonly heard = new Map<Ref, Value | null>();
  /** Driver processes that have stopped. */
  readonly away = new Set<string>();
  desk: Desk;
  stored: { holds: Map<Ref, readonly Hold[]>; state: Record<string, unknown> } = { holds: new Map(), state: {} };
  diskWorks = true;
  checked = 0;
  judged = true;
  /** Acts that need a line in the audit of this run. */
  acts = { commands: 0, expired: 0 };

  /** Devices do what they are told at once, whatever they answer, and nobody else touches them: then rests can be proved. */
  readonly isQuiet: boolean;

  constructor(isQuiet: boolean) {
    this.isQuiet = isQuiet;
    for (const {
      device,
      point: { name, write },
    } of points) {
      const at = `${device.id}/${name}` as Ref;
      const { minOn = 0, minOff = 0, maxPerHour = Number.POSITIVE_INFINITY, failSafe = 'keep' } = write ?? {};
      this.models.set(at, {
        failSafe,
        minOn,
        minOff,
        maxPerHour,
        holds: [],
        forbids: [],
        told: [{ at: -Infinity, value: nthValue(at, 0) }],
      });
      this.devices.set(at, nthValue(at, 0));
    }
    this.desk = this.begin();
  }

  model(at: Ref): OutputModel {
    const model = this.models.get(at);
    if (model === undefined) throw new Error(at);
    return model;
  }

  begin(): Desk {
    const restored = refs.flatMap((at) => this.stored.holds.get(at) ?? []);
    this.acts = { commands: 0, expired: 0 };
    this.checked = 0;
    for (const at of refs) this.heard.set(at, null);
    this.desk = new Desk({
      points,
      clock: this.clock,
      restored,
      state: this.stored.state,
      unready: true,
      unjudged: true,
    });
    for (const at of refs) this.acts.expired += expire(this.model(at), this.clock.now());
    // Before the rules have spoken nothing may slip through that they will forbid.
    this.judged = false;
    const forbids = new Map(refs.map((at) => [at, this.model(at).forbids]));
    for (const at of refs) this.model(at).forbids = [];
    this.desk.commands.tick();
    this.check();
    const standing = refs.flatMap((at) =>
      this.model(at)
        .holds.filter(isRule)
        .map((hold) => ({ ...hold, ref: ref(at) })),
    );
    for (const at of refs) this.model(at).forbids = forbids.get(at) ?? [];
    this.desk.interlock(
      ...refs.flatMap((at) => this.model(at).forbids.map((one) => forbidOf(at, one.value, one.owner, one.priority))),
      ...standing.map(({ ref: at, value, owner, priority, until }) => {
        return { ...holdOf(at, value, owner, priority), lasts: until === null ? null : until - this.clock.now() };
      }),
    );
    this.check();
    this.judged = true;
    this.desk.commands.adoptInterlockHolds(standing);
    this.check();
    for (const process of processes) this.desk.commands.onProcessReady(process);
    this.away.clear();
    this.check();
    return this.desk;
  }

  /** Everything sent since the last look, and everything shown, is as it must be. */
  check(): void {
    const now = this.clock.now();
    for (const { command } of this.desk.sent.slice(this.checked)) this.checkCommand(command);
    this.checked = this.desk.sent.length;
    for (const state of this.desk.commands.outputs()) {
      const at = state.ref as string as Ref;
      const model = this.model(at);
      this.takeHand(at, model, state.stack);
      const live = model.holds.filter(({ until }) => until === null || until > now);
      same(sorted(state.stack), sorted(live), `${at}: who holds it`);
      const winner = winnerOf({ ...model, holds: live });
      same([state.holder, state.value], [winner?.owner ?? null, winner?.value ?? null], `${at}: who has it`);
      same(state.forbidden.length, model.forbids.length, `${at}: forbidden`);
      if (state.waiting !== null) saw(state.waiting.for);
      if (state.next === null) continue;
      const later = live.filter(({ until }) => until === null || until > (state.until ?? 0));
      const then = winnerOf({ ...model, holds: later });
      same(state.next, { value: then?.value ?? null, holder: then?.owner ?? null, at: state.until }, `${at}: next`);
    }
  }

  /** A hand is the one owner that `commands` itself brings about: its hold is checked, then taken as it is. */
  takeHand(at: Ref, model: OutputModel, stack: readonly Hold[]): void {
    const before = model.holds.find(({ owner }) => owner === 'local');
    const hand = stack.find(({ owner }) => owner === 'local');
    drop(model, 'local');
    if (hand === undefined) return;
    if (before?.since !== hand.since) {
      saw('hand');
      same([hand.priority, hand.value], [8, this.heard.get(at)], `${at}: a hand is what was read`);
      same(hand.until, hand.since + local, `${at}: a hand is respected for its time`);
      same(winnerOf(model)?.strength === 1 || winnerOf(model)?.strength === 5, false, `${at}: a hand against safety`);
    }
    model.holds.push(hand);
  }

  checkCommand(command: Command): void {
    const at = `${command.device}/${command.point}` as Ref;
    const model = this.model(at);
    const mono = this.clock.monotonic();
    const hand = this.state(at)?.stack.filter(({ owner }) => owner === 'local') ?? [];
    const holds = model.holds.filter((one) => one.owner !== 'local' && (one.until ?? Infinity) > this.clock.now());
    const winner = winnerOf({ ...model, holds: [...holds, ...hand] });
    const what = `${at}=${command.value} at ${mono}`;
    // Never a weaker over a stronger, never what is forbidden, never when nothing is wanted, and never for longer.
    same([command.value, command.until], [winner?.value, winner?.until], what);
    if (winner === null) return;
    if (winner.owner !== null) same(command.priority, winner.strength, what);
    same(isBarred(model, command.value, winner.strength, winner.owner === null), false, `${what} is forbidden`);
    if (!this.judged) same(winner.strength, 1, `${what}, before the first look`);
    if (this.isQuiet) {
      same(tooSoon(model, command.value, winner.strength, mono), null, what);
      this.devices.set(at, command.value);
    }
    if (model.told.at(-1)?.value !== command.value) model.told.push({ at: mono, value: command.value });
    this.acts.commands++;
  }

  async take(one: Step): Promise<void> {
    const { desk } = this;
    if (this.isQuiet && ['hand', 'readOld', 'turn'].includes(one.do)) return;
    switch (one.do) {
      case 'ask':
        return this.ask(one);
      case 'letGo':
        return this.letGo(one);
      case 'hold':
        return this.hold(one);
      case 'relinquish':
        drop(this.model(one.output), one.rule[0]);
        return desk.interlock(letGo(one.output, one.rule[0]));
      case 'forbid':
        return this.forbid(one);
      case 'permit':
        return this.permit(one);
      case 'answer':
        return this.answer(one);
      case 'read':
        return this.read(one.isGood);
      case 'obey':
        return this.obey();
      case 'readOld':
        this.heard.set(one.output, nthValue(one.output, one.n));
        return desk.read({ [one.output]: nthValue(one.output, one.n) });
      case 'hand':
        this.devices.set(one.output, nthValue(one.output, one.n));
        return this.read(true);
      case 'turn':
        return this.turn(one.output, nthValue(one.output, one.n));
      case 'up':
        this.away.delete(one.process);
        return desk.commands.onProcessReady(one.process);
      case 'down':
        this.away.add(one.process);
        return desk.commands.onProcessStopped(one.process);
      case 'online':
        return desk.commands.onDeviceOnline(one.device as DeviceId);
      case 'pass':
        return this.pass(one.ms);
      case 'clock':
        return this.setClock(one.ms);
      case 'disk':
        return this.setDisk(one.works);
      case 'restart':
        return this.restart(one.down);
    }
  }

  async ask({ output: at, n, web, seconds: lasts }: Ask): Promise<void> {
    const [owner, priority] = web ? (['request:web', 8] as const) : (['request:flows', 12] as const);
    const value = nthValue(at, n);
    const now = this.clock.now();
    const result = await this.desk.ask(at, value, { client: web ? 'web' : 'flows', seconds: lasts });
    if (!result.accepted) return;
    put(this.model(at), { owner, value, priority, since: now, until: now + lasts * 1_000 });
    if (web) this.expectNoHand(at);
  }

  async letGo({ output: at, web }: Pick<Ask, 'output' | 'web'>): Promise<void> {
    drop(this.model(at), web ? 'request:web' : 'request:flows');
    await this.desk.ask(at, null, { client: web ? 'web' : 'flows' });
    if (web) this.expectNoHand(at);
  }

  expectNoHand(at: Ref): void {
    const owners = this.state(at)?.stack.map(({ owner }) => owner);
    expect(owners, 'an operator ends what a hand stands for').not.toContain('local');
  }

  state(at: Ref) {
    return this.desk.commands.outputs().find((state) => state.ref === at);
  }

  hold({ output: at, n, rule: [owner, priority], lasts: forSeconds }: Decision & { lasts: number | null }): void {
    const model = this.model(at);
    const now = this.clock.now();
    const value = nthValue(at, n);
    const lasts = forSeconds === null ? null : forSeconds * 1_000;
    const until = lasts === null ? null : now + lasts;
    const before = model.holds.find((one) => one.owner === owner);
    const isAsLong = before?.until === until || Math.abs((before?.until ?? Number.NaN) - (until ?? Number.NaN)) < 1_000;
    if (before?.value !== value || !isAsLong) put(model, { owner, value, priority, since: now, until });
    this.desk.interlock({ ...holdOf(at, value, owner, priority), lasts });
  }

  forbid({ output: at, n, rule: [owner, priority] }: Decision): void {
    const model = this.model(at);
    const value = nthValue(at, n);
    const isNew = !model.forbids.some((one) => one.owner === owner && one.value === value);
    if (isNew) model.forbids.push({ owner, value, priority });
    this.desk.interlock(forbidOf(at, value, owner, priority));
  }

  permit({ output: at, rule: [owner] }: Pick<Decision, 'output' | 'rule'>): void {
    const model = this.model(at);
    model.forbids = model.forbids.filter((one) => one.owner !== owner);
    this.desk.interlock(permitOf(at, owner));
  }

  /** Also of a command that has been overtaken, and twice. */
  answer({ back, outcome, did }: Answer): void {
    const sent = this.desk.sent.at(-1 - back);
    if (sent === undefined) return;
    const { command } = sent;
    const at = `${command.device}/${command.point}` as Ref;
    // Where devices do at once what they are told, a late answer to an overtaken command turns nothing back.
    if (!this.isQuiet && (outcome === 'done' || did)) this.devices.set(at, command.value);
    const isNewest = this.desk.sent.findLast((one) => `${one.command.device}/${one.command.point}` === at) === sent;
    const confirmed = () => this.state(at)?.confirmed;
    const before = confirmed();
    const value = this.devices.get(at);
    this.desk.answer(outcome, outcome === 'failed' || value === undefined ? {} : { value }, command);
    if (!isNewest) same(confirmed(), before, 'an overtaken command proves nothing');
  }

  obey(): void {
    const newest = new Map(this.desk.sent.map(({ command }) => [`${command.device}/${command.point}`, command]));
    for (const [at, command] of newest) {
      this.devices.set(at as Ref, command.value);
      this.desk.answer('done', { value: command.value }, command);
    }
    this.read(true);
  }

  async turn(at: Ref, value: Value): Promise<void> {
    this.obey();
    await this.pass(4_000);
    this.devices.set(at, value);
    this.read(true);
    await this.pass(4_000);
  }

  /** As ingest does it: only what is news is told. */
  read(isGood: boolean): void {
    const news: Record<string, Value | null> = {};
    for (const at of refs) {
      const value = isGood ? (this.devices.get(at) ?? null) : null;
      if (this.heard.get(at) === value) continue;
      this.heard.set(at, value);
      news[at] = value;
    }
    this.desk.read(news);
  }

  async pass(ms: number, tick = ms > 10_000 ? 1_000 : 250): Promise<void> {
    await this.desk.settle();
    for (let left = ms; left > 0; left -= tick) {
      this.clock.advance(Math.min(tick, left));
      for (const at of refs) this.acts.expired += expire(this.model(at), this.clock.now());
      this.desk.commands.tick();
      this.check();
      await this.desk.settle();
    }
  }

  setClock(ms: number): void {
    this.clock.step(ms);
    for (const at of refs) {
      const model = this.model(at);
      model.holds = model.holds.map((one) => {
        return { ...one, since: one.since + ms, until: one.until === null ? null : one.until + ms };
      });
    }
    this.desk.commands.tick();
  }

  setDisk(works: boolean): void {
    this.diskWorks = works;
    this.desk.append = works ? () => Promise.resolve() : () => Promise.reject(new Error('disk'));
  }

  /** The process ends in good order or not; what is on disk is whole either way, once the disk works. */
  async restart(down: number): Promise<void> {
    await this.settleDisk();
    this.checkAudit();
    for (const at of refs) {
      const holds = this.desk.onDisk(at);
      if (holds !== undefined) this.stored.holds.set(at, holds);
    }
    Object.assign(this.stored.state, this.desk.stateOnDisk());
    this.clock.advance(down);
    this.begin();
  }

  async settleDisk(): Promise<void> {
    this.setDisk(true);
    await this.desk.settle();
    for (let i = 0; i < 120 && (this.desk.commands.counters.recordsOwed ?? 0) > 0; i++) await this.pass(1_000, 1_000);
    await this.desk.settle();
    expect(this.desk.commands.counters).toMatchObject({ recordsOwed: 0, recordsDropped: 0 });
  }

  /** Every act has its line. */
  checkAudit(): void {
    const lines = this.desk.batches.flatMap(({ audit = [] }) => audit);
    for (const { what } of lines) if (what.startsWith('put back')) saw('put back');
    expect(lines.filter(({ what }) => what.startsWith('command ')).length, 'commands').toBe(this.acts.commands);
    expect(lines.filter(({ why }) => why === 'expired').length, 'expiries').toBe(this.acts.expired);
    for (const at of refs) {
      expect(this.desk.onDisk(at) ?? this.stored.holds.get(at) ?? [], at).toHaveLength(this.model(at).holds.length);
    }
  }

  /** The devices answer and are read for long enough: what is wanted is so, whatever was before. */
  async end(): Promise<void> {
    await this.settleDisk();
    for (const process of this.away) this.desk.commands.onProcessReady(process);
    this.check();
    // Every wish ends within five minutes, every pause within one; after an hour no rate limits anything.
    let calm = 0;
    for (let i = 0; i < 400 && calm < 6; i++) {
      for (const { command } of this.desk.sent.splice(0)) {
        this.devices.set(`${command.device}/${command.point}` as Ref, command.value);
        this.desk.answer('done', { value: command.value }, command);
      }
      this.checked = 0;
      this.check();
      this.read(true);
      calm = this.isAsWanted() ? calm + 1 : 0;
      const ms = i < 40 ? 1_000 : 12_000;
      await this.pass(ms, ms);
    }
    same(calm, 6, 'what is wanted is so');
    this.checkAudit();
  }

  isAsWanted(): boolean {
    return this.desk.commands.outputs().every((state) => {
      const at = state.ref as string as Ref;
      const winner = winnerOf(this.model(at));
      const isSo = this.devices.get(at) === winner?.value && state.confirmed?.value === winner?.value;
      return winner === null || (isSo && state.waiting === null);
    });
  }
}

/** As `expect(...).toEqual`, a hundred times as quick while it holds. */
function same(actual: unknown, wanted: unknown, what: string): void {
  if (JSON.stringify(actual) !== JSON.stringify(wanted)) expect(actual, what).toEqual(wanted);
}

function sorted(holds: readonly Pick<Hold, 'owner' | 'value' | 'priority' | 'until'>[]): string[] {
  return holds.map(({ owner, value, priority, until }) => `${owner} ${value} ${priority} ${until}`).sort();
}

function isRule({ owner }: { readonly owner: string }): boolean {
  return owner.startsWith('interlock:') || owner.startsWith('rule:');
}

/** How often what is rare was seen: a test that never gets there proves nothing. */
const seen = new Map<string, number>();
function saw(what: string): void {
  seen.set(what, (seen.get(what) ?? 0) + 1);
}

/** Steps of all lives together; each ends in an hour in which all must come right. */
const atLeast = 20_000;

it('in any order of happenings no weaker wins, nothing forbidden is told, rests are kept, holds end, and what is wanted comes true', async () => {
  let steps = 0;
  const lists = fc.array(step, { minLength: 1, maxLength: 60, size: 'max' });
  const life = fc.asyncProperty(fc.boolean(), lists, async (isQuiet, list) => {
    const one = new Life(isQuiet);
    for (const each of list) {
      await one.take(each);
      one.check();
      steps++;
    }
    await one.end();
  });
  // The same lives each time: what one of them finds is found again.
  for (let seed = 1; steps < atLeast; seed++) await fc.assert(life, { numRuns: 50, seed });
  for (const rare of ['hand', 'put back', 'minimum-on', 'minimum-off', 'rate', 'stagger', 'device']) {
    expect(seen.get(rare) ?? 0, rare).toBeGreaterThan(20);
  }
});
