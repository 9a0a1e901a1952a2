import { type Commands, createCommands } from '#edge/commands/commands.ts';
import { type BroadcastItem, parseOrder } from '#edge/domain/broadcast.ts';
import type { Device } from '#edge/domain/device.ts';
import { type HappeningId, type PointRef, pointRef, type ZoneId } from '#edge/domain/ids.ts';
import type { Command, Hold, Priority } from '#edge/domain/output.ts';
import { BroadcastDesk } from '#edge/processes/core/broadcast-desk.ts';
import type { SoundWish } from '#edge/processes/core/broadcast-port.ts';
import { arbitrate } from '#edge/rules/priorities.ts';
import type { SoundHappening } from '#edge/rules/sound.ts';
import { strengthOf } from '#edge/rules/sound-habits.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { silentLog } from '#edge/runtime/log.ts';
import type { Batch } from '#edge/store/batch.ts';
import { place, point } from '../commands/desk.ts';

/** Monday 2026-11-23, 10:00 in Shanghai. */
export const ten = Date.UTC(2026, 10, 23, 2, 0);
export const zones = ['teaching', 'gate', 'field'] as unknown as readonly [ZoneId, ZoneId, ZoneId];

const places = Array.from({ length: 5 }, (_, n) => {
  const zone = zones[n % zones.length] ?? zones[0];
  const [made] = place(`speaker-${n}`, 'broadcast', [point('clip', 'text', { failSafe: '' })]);
  if (made === undefined) throw new Error('a place has a point');
  return { ...made, device: { ...made.device, zone } };
});
export const devices: readonly Device[] = places.map(({ device }) => device);
export const speakers = devices.map(({ id }) => pointRef(id, 'clip' as never)) as unknown as readonly [
  PointRef,
  ...PointRef[],
];

const lengths: Readonly<Record<string, number | null>> = {
  ...{ bell: 5_000, song: 60_000, word: 3_000, siren: 4_000, evacuation: 9_000, storm: 12_000, gong: null },
};

/** What the disk has, in the order in which it took it. */
export class Disk {
  readonly sounds = new Map<string, object>();
  readonly holds = new Map<PointRef, readonly Hold[]>();
  isFull = false;
  /** Only what sounds is refused. */
  isDeaf = false;

  readonly append = async (batch: Batch): Promise<void> => {
    if (this.isFull || (this.isDeaf && batch.sounds !== undefined)) throw new Error('the disk is full');
    for (const { id, body } of batch.sounds ?? []) {
      if (body === null) this.sounds.delete(id);
      else this.sounds.set(id, JSON.parse(JSON.stringify(body)) as object);
    }
    for (const { ref, holds } of batch.holds ?? [])
      this.holds.set(ref as PointRef, JSON.parse(JSON.stringify(holds)) as Hold[]);
  };
}

interface Run {
  readonly desk: BroadcastDesk;
  readonly commands: Commands;
}

/** The broadcast desk over the real `commands`: the bus and the disk are noted. */
export class BroadcastRoom implements Disposable {
  readonly clock: ManualClock;
  readonly disk = new Disk();
  readonly sent: Command[] = [];
  readonly heard: SoundHappening[] = [];
  readonly items = new Map<HappeningId, BroadcastItem>();
  isUnreadable = false;
  #run: Run;

  constructor(at = ten) {
    this.clock = new ManualClock(at);
    this.#run = this.#start();
  }

  get desk(): BroadcastDesk {
    return this.#run.desk;
  }

  get commands(): Commands {
    return this.#run.commands;
  }

  #start(): Run {
    const bus = {
      publish: (topic: string, payload: object | null) => {
        if (topic.startsWith('v1/command/')) this.sent.push(JSON.parse(JSON.stringify(payload)) as Command);
        return Promise.resolve();
      },
      subscribe: () => Promise.reject(new Error('nobody subscribes here')),
    };
    let desk: BroadcastDesk | null = null;
    const commands = createCommands({
      ...{ points: places, bus, append: this.disk.append, clock: this.clock, log: silentLog },
      restored: { holds: [...this.disk.holds.values()].flat(), state: {} },
      requestGrants: () => ['*/*'],
      onAlarms: () => {},
      onUnrecorded: () => {},
      onOutput: (ref) => desk?.onOutput(ref),
    });
    desk = new BroadcastDesk({
      ...{ devices, commands: () => commands, append: this.disk.append, clock: this.clock, log: silentLog },
      stored: () => {
        if (this.isUnreadable) throw new Error('the database is locked');
        return [...this.disk.sounds.values()];
      },
      ...{ drillWord: { clip: 'word', length: 3_000 }, sirens: ['siren'], onChange: () => {}, isDriven: true },
      clip: (name) => {
        const length = lengths[name];
        return length === undefined ? undefined : { length, isEndless: false };
      },
    });
    desk.onHappening((happenings) => void this.heard.push(...happenings));
    commands.start();
    commands.adoptInterlockHolds([...this.disk.holds.values()].flat());
    desk.begin();
    commands.onProcessReady('broadcast');
    return { desk, commands };
  }

  /** Core ends without a word and begins anew, `gap` ms later, from what the disk has. */
  async restart(gap = 2_000): Promise<void> {
    this.desk[Symbol.dispose]();
    this.clock.advance(gap);
    this.#run = this.#start();
    await this.settle();
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 30; i++) await Promise.resolve();
  }

  /** Time passes; the loudspeakers obey. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 250) {
      this.clock.advance(Math.min(250, left));
      this.commands.tick();
      this.desk.tick();
      await this.obey();
    }
  }

  readonly #answered = new Set<string>();

  async obey(): Promise<void> {
    await this.settle();
    for (const { id, device, point: name, value } of this.sent) {
      if (this.#answered.has(id)) continue;
      this.#answered.add(id);
      this.commands.onResult({ id, device, point: name, outcome: 'sent', value, time: this.clock.now() });
    }
    await this.settle();
  }

  play(more: Partial<SoundWish> & { readonly clips?: readonly string[]; readonly loop?: boolean } = {}) {
    const { clips = ['bell'], loop = false, ...wish } = more;
    const answer = this.desk.play({
      ...{ class: 'page', name: { zh: '通知', en: 'Notice' }, zones: 'all', by: 'person:lin', why: 'a notice' },
      source: { kind: 'clips', clips, loop },
      ...wish,
    });
    return answer;
  }

  taken(more: Parameters<BroadcastRoom['play']>[0] = {}): HappeningId {
    const { item, refusal } = this.play(more);
    if (item === null) throw new Error(`refused: ${JSON.stringify(refusal)}`);
    return item;
  }

  rule(ref: PointRef, value: string, owner: string, priority: Priority = 1): void {
    this.commands.setInterlockHolds([{ kind: 'hold', owner, ref, value, priority, reason: 'smoke', lasts: null }]);
  }

  unrule(ref: PointRef, owner: string): void {
    this.commands.setInterlockHolds([{ kind: 'relinquish', owner, ref, reason: 'the cause is gone' }]);
  }

  ask(ref: PointRef, value: string | null, client: 'web' | 'flows', seconds = 30) {
    const request = { id: newHappeningId(this.clock), client, ref, value, seconds, reason: 'by hand' };
    return this.commands.request({ ...request, priority: client === 'web' ? 8 : 12, time: this.clock.now() });
  }

  /** Of the desk, on this loudspeaker. */
  held(ref: PointRef): readonly Hold[] {
    return this.commands
      .holdsOn(ref)
      .filter(({ owner }) => owner.startsWith('sound:') || owner.startsWith('schedule:'));
  }

  /** What the loudspeaker was last told. */
  told(ref: PointRef): string {
    const device = ref.slice(0, ref.indexOf('/'));
    return String(this.sent.findLast((command) => command.device === device)?.value ?? '');
  }

  /** What is wrong with it now; null: nothing. */
  mistake(): string | null {
    const wanted = this.desk.orders();
    for (const ref of speakers) {
      const all = this.commands.holdsOn(ref);
      const { winner } = arbitrate(all, this.clock.now());
      const strongest = Math.min(...all.map((hold) => strengthOf(hold)));
      if (winner !== null && strengthOf(winner) > strongest) return `${ref}: something weaker has the word`;
      const mine = this.held(ref);
      const want = wanted.get(ref);
      if (mine.length > 1) return `${ref}: the desk holds it twice`;
      if (want?.text !== mine[0]?.value) return `${ref}: held ${mine[0]?.value}, wanted ${want?.text}`;
      if (want !== undefined && (winner?.value !== want.text || mine[0]?.rank !== want.rank))
        return `${ref}: ${want.text} is wanted, ${String(winner?.value)} has the word`;
      if (want !== undefined && this.told(ref) !== want.text) return `${ref}: told ${this.told(ref)}, not ${want.text}`;
      const item = mine[0] === undefined ? undefined : parseOrder(String(mine[0].value))?.item;
      const isAlive = item === undefined || this.desk.items().some((one) => one.item.id === item);
      if (!isAlive) return `${ref}: ${item} is over and still held`;
    }
    return null;
  }

  [Symbol.dispose](): void {
    this.desk[Symbol.dispose]();
  }
}
