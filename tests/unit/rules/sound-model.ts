import { type BroadcastItem, orderText, type SoundClass, type SoundSource } from '#edge/domain/broadcast.ts';

/*
 * The arbiter of sound as one would explain it at a blackboard: no queues, no timers, everything looked at every time. It shares no code with
 * the arbiter; what it says of each loudspeaker and each moment must be the same.
 */

const ladder = [
  'fire',
  'danger',
  'microphone',
  'warning',
  'page',
  'exam',
  'bell',
  'exercise',
  'programme',
  'background',
];
const strengths = [16, 17, 18, 83, 132, 133, 246, 247, 248, 249];

interface ModelPart {
  state: 'waiting' | 'playing' | 'cut' | 'over';
  began: number;
  since: number;
  position: number;
  cutAt: number;
  lost: number;
  told: boolean;
}

interface ModelItem {
  item: BroadcastItem;
  turn: number;
  askers: string[];
  content: string;
  source: SoundSource;
  length: number | null;
  until: number | null;
  patience: number | null;
  /** Of all rooms: position 0 was then; or it stands at a position since. */
  began: number | null;
  stands: { position: number; since: number } | null;
  moved: number | null;
  movedAnew: boolean;
  parts: Map<string, ModelPart>;
}

export interface ModelClaim {
  output: string;
  strength: number;
}

export interface ModelWindow {
  outputs: readonly string[];
  from: number;
  until: number | null;
  most: number;
}

export interface ModelLimits {
  mostItems: number;
  mostOnOutput: number;
  sameWithin: number;
  drill: { clip: string; length: number };
}

export class Model {
  items: ModelItem[] = [];
  claims: ModelClaim[] = [];
  quiet: ModelWindow[] = [];
  caps: ModelWindow[] = [];
  classLevels: Partial<Record<SoundClass, number>> = {};
  log: string[] = [];
  over = new Set<string>();
  lately: { content: string; id: string; by: string; at: number }[] = [];
  turns = 0;
  bornAt = Number.NEGATIVE_INFINITY;
  /** Own time, and what the clock on the wall shows more. */
  time: number;
  shift: number;
  limits: ModelLimits;

  constructor(time: number, wall: number, limits: ModelLimits) {
    this.time = time;
    this.shift = wall - time;
    this.limits = limits;
  }

  setClock(ms: number): void {
    this.shift += ms;
    for (const one of this.items) {
      if (this.lives(one.item.class)) continue;
      one.until = one.item.until === null ? null : one.item.until - this.shift;
      one.patience = one.item.patience === null ? null : one.item.patience - this.shift;
    }
  }

  lives(soundClass: SoundClass): boolean {
    return ['fire', 'danger', 'microphone', 'warning'].includes(soundClass);
  }

  together({ source, class: soundClass }: BroadcastItem): boolean {
    if (source.kind === 'live' || source.loop) return true;
    return ['microphone', 'exercise', 'programme', 'background'].includes(soundClass);
  }

  policy({ class: soundClass, interruption, source }: BroadcastItem): string {
    if (interruption === 'restart' && source.kind === 'live') return 'resume';
    return interruption === 'drop' && this.lives(soundClass) ? 'resume' : interruption;
  }

  put(item: BroadcastItem): string {
    const asked = this.items.find(({ askers }) => askers.includes(item.id));
    if (asked !== undefined) return `known ${asked.item.id}`;
    if (this.over.has(item.id)) return 'refused ended-before';
    if (item.until !== null && item.until <= this.time + this.shift) return 'refused over';
    const content = JSON.stringify([item.class, item.drill, item.length, item.source, [...item.outputs].sort()]);
    const twin = this.items.findLast((one) => one.content === content && this.lives(item.class));
    if (twin !== undefined) {
      const later = twin.item.until === null || item.until === null ? null : Math.max(twin.item.until, item.until);
      if (later !== twin.item.until) {
        twin.item = { ...twin.item, until: later };
        twin.until = later === null ? null : later - this.shift;
      }
      twin.askers.push(item.id);
      return `joined ${twin.item.id}`;
    }
    if (!this.lives(item.class)) {
      const before = this.lately.findLast((one) => one.content === content);
      const goesOn = this.items.some((one) => one.item.id === before?.id);
      const isLate = before === undefined || this.time - before.at > this.limits.sameWithin;
      if (before !== undefined && !isLate && (goesOn || before.by !== item.by)) return `refused duplicate ${before.id}`;
    }
    return this.admit(item, content);
  }

  admit(item: BroadcastItem, content: string): string {
    const victims = item.outputs.map((output) => this.victim(item, this.on(output)));
    const isFull = (output: string) => this.on(output).length >= this.limits.mostOnOutput;
    if (item.outputs.every((output, i) => isFull(output) && victims[i] === null)) return 'refused queue-full';
    if (this.items.length >= this.limits.mostItems) {
      const victim = this.victim(item, this.items);
      if (victim === null) return 'refused too-many-items';
      for (const output of [...victim.parts.keys()]) this.end(victim, output, 'dropped displaced');
    }
    const refused: string[] = [];
    for (const output of item.outputs) {
      if (!isFull(output)) continue;
      const victim = this.victim(item, this.on(output));
      if (victim === null) refused.push(output);
      else this.end(victim, output, 'dropped displaced');
    }
    const source = this.said(item);
    const words = source.kind === 'clips' && item.source.kind === 'clips' && !source.loop;
    const more =
      words && source.kind === 'clips' && item.source.kind === 'clips'
        ? source.clips.length - item.source.clips.length
        : 0;
    const parts = item.outputs.map((output): [string, ModelPart] => [
      output,
      { state: 'waiting', began: 0, since: 0, position: 0, cutAt: 0, lost: 0, told: false },
    ]);
    const made: ModelItem = {
      item,
      turn: this.turns++,
      askers: [item.id],
      content,
      source,
      length: item.length === null ? null : item.length + more * this.limits.drill.length,
      until: item.until === null ? null : item.until - this.shift,
      patience: item.patience === null ? null : item.patience - this.shift,
      began: null,
      stands: null,
      moved: null,
      movedAnew: false,
      parts: new Map(parts),
    };
    this.items.push(made);
    this.lately.push({ content, id: item.id, by: item.by, at: this.time });
    for (const output of refused) this.end(made, output, 'dropped queue-full');
    return `taken ${item.id} ${refused.join(' ')}`.trim();
  }

  said({ drill, source }: BroadcastItem): SoundSource {
    if (!drill || source.kind === 'live') return source;
    return {
      ...source,
      clips: source.clips.flatMap((clip) => (clip === 'siren' ? [clip] : [this.limits.drill.clip, clip])),
    };
  }

  victim(item: BroadcastItem, among: readonly ModelItem[]): ModelItem | null {
    if (!this.lives(item.class)) return null;
    const rank = (one: ModelItem) => ladder.indexOf(one.item.class);
    const weakest = [...among].sort((a, b) => rank(b) - rank(a) || b.turn - a.turn)[0];
    return weakest !== undefined && rank(weakest) > ladder.indexOf(item.class) ? weakest : null;
  }

  /** Not over here. */
  on(output: string): ModelItem[] {
    return this.items.filter(({ parts }) => (parts.get(output)?.state ?? 'over') !== 'over');
  }

  stop(id: string, outputs?: readonly string[]): string {
    const one = this.items.find(({ askers, item }) => askers.includes(id) || item.id === id);
    if (one === undefined) return 'unknown';
    if (outputs !== undefined) {
      for (const output of outputs) this.end(one, output, 'stopped asked');
      return 'stopped';
    }
    one.askers = one.askers.filter((asker) => asker !== id);
    this.over.add(id);
    if (one.askers.length > 0) return 'goes-on';
    for (const output of [...one.parts.keys()]) this.end(one, output, 'stopped asked');
    return 'stopped';
  }

  allClear(): void {
    for (const one of this.items.filter(({ item }) => this.lives(item.class))) {
      for (const output of [...one.parts.keys()]) this.end(one, output, 'stopped all-clear');
    }
  }

  place(one: ModelItem, part: ModelPart): number {
    if (this.together(one.item)) return one.stands?.position ?? (one.began === null ? 0 : this.time - one.began);
    return part.state === 'playing' ? this.time - part.began : part.position;
  }

  hush(one: ModelItem, part: ModelPart): void {
    part.position = this.place(one, part);
    if (part.state !== 'playing') return;
    part.state = 'cut';
    const stillOn = [...one.parts.values()].some(({ state }) => state === 'playing');
    if (this.together(one.item) && !stillOn) one.stands = { position: part.position, since: this.time };
  }

  end(one: ModelItem, output: string, how: string): void {
    const part = one.parts.get(output);
    if (part === undefined || part.state === 'over') return;
    this.hush(one, part);
    part.state = 'over';
    this.log.push(`${how} ${one.item.id} ${output}`);
    if ([...one.parts.values()].some(({ state }) => state !== 'over')) return;
    this.items = this.items.filter((other) => other !== one);
    for (const asker of [...one.askers, one.item.id]) this.over.add(asker);
  }

  step(): void {
    this.endings();
    const outputs = new Set(this.items.flatMap(({ parts }) => [...parts.keys()]));
    for (const output of outputs) this.decide(output);
  }

  away(at: number, reason: string): string {
    return at <= this.bornAt ? 'while-away' : reason;
  }

  /** Everything whose time is over, the earliest first. */
  endings(): void {
    const due: { at: number; kind: number; act: () => void }[] = [];
    for (const one of this.items) {
      const { item, length } = one;
      const ends =
        this.together(item) && one.began !== null && one.stands === null && length !== null ? one.began + length : null;
      if (ends !== null && ends <= this.time) due.push({ at: ends, kind: 1, act: () => this.endTogether(one, ends) });
      const { until, patience } = one;
      if (until !== null && until <= this.time) due.push({ at: until, kind: 2, act: () => this.expire(one, until) });
      if (patience !== null && patience <= this.time && !this.lives(item.class)) {
        due.push({ at: patience, kind: 3, act: () => this.giveUp(one, patience) });
      }
      for (const [output, part] of one.parts) {
        const end = part.began + (length ?? 0);
        if (part.state === 'playing' && !this.together(item) && length !== null && end <= this.time) {
          due.push({ at: end, kind: 0, act: () => this.end(one, output, `ended ${this.away(end, 'length')}`) });
        }
        const gone = part.cutAt + Math.max(0, 60_000 - part.lost);
        if (part.state === 'cut' && item.class === 'exercise' && gone <= this.time) {
          due.push({ at: gone, kind: 0, act: () => this.end(one, output, 'dropped too-much-lost') });
        }
      }
    }
    for (const { act } of due.sort((a, b) => a.at - b.at || a.kind - b.kind)) act();
  }

  endTogether(one: ModelItem, at: number): void {
    for (const [output, { state }] of one.parts) {
      if (state === 'playing') this.end(one, output, `ended ${this.away(at, 'length')}`);
      else this.end(one, output, `${state === 'cut' ? 'dropped' : 'expired'} over-elsewhere`);
    }
  }

  expire(one: ModelItem, at: number): void {
    for (const output of [...one.parts.keys()]) this.end(one, output, `expired ${this.away(at, 'until')}`);
  }

  /** Whoever has no patience at all has one chance. */
  giveUp(one: ModelItem, at: number): void {
    for (const [output, { state, told }] of one.parts) {
      if (state === 'waiting' && told) this.end(one, output, `expired ${this.away(at, 'patience')}`);
    }
  }

  within({ outputs, from, until }: ModelWindow, output: string): boolean {
    const wall = this.time + this.shift;
    return outputs.includes(output) && from <= wall && (until === null || wall < until);
  }

  mayPlay(one: ModelItem, output: string): boolean {
    const { class: soundClass } = one.item;
    return soundClass === 'exam' || this.lives(soundClass) || !this.quiet.some((rooms) => this.within(rooms, output));
  }

  decide(output: string): void {
    const here = this.on(output);
    const stateOf = (one: ModelItem) => one.parts.get(output)?.state ?? 'over';
    const key = (one: ModelItem) => [
      ladder.indexOf(one.item.class),
      ['playing', 'cut', 'waiting'].indexOf(stateOf(one)),
      one.turn,
    ];
    const able = here
      .filter((one) => this.mayPlay(one, output))
      .sort((a, b) => {
        const [x, y] = [key(a), key(b)];
        return x.map((value, i) => value - (y[i] ?? 0)).find((difference) => difference !== 0) ?? 0;
      });
    let [winner = null] = able;
    const claims = this.claims.filter((claim) => claim.output === output).map(({ strength }) => strength);
    if (winner !== null && claims.length > 0) {
      const mine = strengths[ladder.indexOf(winner.item.class)] ?? 0;
      const theirs = Math.min(...claims);
      if (theirs < mine || (theirs === mine && stateOf(winner) !== 'playing')) winner = null;
    }
    for (const one of here) if (stateOf(one) === 'playing' && one !== winner) this.interrupt(one, output);
    if (winner !== null && stateOf(winner) !== 'playing') this.play(winner, output);
    for (const one of here) if (stateOf(one) === 'waiting') this.wait(one, output);
  }

  interrupt(one: ModelItem, output: string): void {
    const part = one.parts.get(output);
    if (part === undefined) return;
    this.hush(one, part);
    part.cutAt = this.time;
    const isQuiet = !this.mayPlay(one, output);
    this.log.push(`preempted ${isQuiet ? 'quiet' : 'stronger'} ${one.item.id} ${output}`);
    if (this.policy(one.item) === 'drop') this.end(one, output, 'dropped not-again');
  }

  wait(one: ModelItem, output: string): void {
    const part = one.parts.get(output);
    if (part === undefined) return;
    const isQuiet = !this.mayPlay(one, output);
    if (isQuiet && this.policy(one.item) === 'drop') this.end(one, output, 'dropped quiet');
    else if (!part.told) {
      part.told = true;
      this.log.push(`queued ${isQuiet ? 'quiet' : 'stronger'} ${one.item.id} ${output}`);
    }
  }

  play(one: ModelItem, output: string): void {
    const part = one.parts.get(output);
    if (part === undefined) return;
    const again = part.state === 'cut';
    const anew = this.policy(one.item) === 'restart';
    if (again) part.lost += this.time - part.cutAt;
    let how = again ? 'resumed turn' : 'begun turn';
    if (this.together(one.item)) {
      if (one.began === null) {
        one.began = this.time;
        one.moved = this.time;
      } else if (one.stands !== null) {
        const stood = one.stands.since < this.time;
        one.began = this.time - (stood && anew ? 0 : one.stands.position);
        if (stood) {
          one.moved = this.time;
          one.movedAnew = anew;
        }
        one.stands = null;
      }
      if (one.moved !== this.time) how = again ? 'resumed in-step' : 'begun in-step';
      else if (again && one.movedAnew) how = 'restarted turn';
      part.since = Math.round(one.began + this.shift);
    } else {
      part.began = this.time - (again && !anew ? part.position : 0);
      if (again && anew) how = 'restarted turn';
      part.since = Math.round(part.began + this.shift);
    }
    part.state = 'playing';
    this.log.push(`${how} ${one.item.id} ${output}`);
  }

  loudness(one: ModelItem, output: string): number {
    const { level, class: soundClass } = one.item;
    if (this.lives(soundClass)) return level ?? 100;
    const caps = this.caps.filter((cap) => this.within(cap, output)).map(({ most }) => most);
    return Math.min(level ?? this.classLevels[soundClass] ?? 100, ...caps);
  }

  orders(): Map<string, string> {
    const orders = new Map<string, string>();
    for (const one of this.items) {
      for (const [output, { state, since }] of one.parts) {
        if (state !== 'playing') continue;
        if (orders.has(output)) throw new Error(`two items play on ${output}`);
        orders.set(
          output,
          orderText({ source: one.source, since, level: this.loudness(one, output), item: one.item.id }),
        );
      }
    }
    return orders;
  }

  /** Killed, and back after so many ms: what had begun went on without us. */
  reborn(away: number): void {
    this.time += away;
    this.bornAt = this.time;
    this.over.clear();
    this.lately = this.items.map((one) => ({ content: one.content, id: one.item.id, by: one.item.by, at: this.time }));
    this.items.sort((a, b) => a.turn - b.turn);
    for (const one of this.items) {
      if (one.stands !== null) one.stands = { ...one.stands, since: Number.NEGATIVE_INFINITY };
      one.moved = null;
      for (const part of one.parts.values()) {
        if (part.state === 'playing')
          part.since = Math.round((this.together(one.item) ? (one.began ?? 0) : part.began) + this.shift);
      }
    }
  }
}
