import type { Emergency, EmergencyOrigin } from '#edge/domain/emergency.ts';
import type { HappeningId, ZoneId } from '#edge/domain/ids.ts';
import type { SoundWish } from '#edge/processes/core/broadcast-port.ts';
import { EmergencyDesk, type EmergencyDeskOptions, type EmergencyWish } from '#edge/processes/core/emergency-desk.ts';
import type { ItemAnswer } from '#edge/rules/sound.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { emergencySection } from '#edge/runtime/site-emergency.ts';
import type { Batch } from '#edge/store/batch.ts';

/* A desk of emergencies with all that it talks to; its loudspeakers say what is heard in each zone. */

export const zones = ['teaching', 'gate', 'field'] as unknown as readonly [ZoneId, ZoneId, ZoneId];
export const duty = { who: 'person:lin', from: '10.0.0.9' };
export const kinds = ['fire', 'earthquake', 'intrusion', 'storm'] as const;
export const rule = (name: string): EmergencyOrigin => ({ kind: 'rule', rule: name });
export const warning = (key: string): EmergencyOrigin => ({ kind: 'warning', key });
export const terminal = (event: string, arrival = 0): EmergencyOrigin => ({
  ...{ kind: 'terminal', device: 'token:t', event, arrival, intensity: 5, magnitude: null, place: '' },
});
const lengths: Readonly<Record<string, number>> = {
  siren: 9_000,
  voice: 12_000,
  word: 2_000,
  clear: 4_000,
  quake: 10_000,
};

interface Sound {
  readonly wish: SoundWish;
  readonly zones: readonly ZoneId[];
  /** By the clock that never steps; null: until it is stopped. */
  readonly ends: number | null;
}
/** What is said once lasts so long, ms. */
const once = 5_000;

export class EmergencyRoom implements Disposable {
  readonly clock = new ManualClock(Date.UTC(2026, 10, 23, 2));
  /** What is heard. Stays over a restart of the desk, unless it is lost. */
  readonly sounds = new Map<HappeningId, Sound>();
  readonly said: SoundWish[] = [];
  /** Whatever was heard since the start. */
  readonly #ever = new Map<HappeningId, Sound>();
  readonly disk = new Map<string, Emergency>();
  readonly audit: string[] = [];
  readonly alarms = new Set<string>();
  /** What rules still stand for. */
  readonly standing = new Map<string, string>();
  rules: Pick<EmergencyDeskOptions, 'resetRule' | 'standing'> = {
    resetRule: (rule) => this.standing.get(rule) ?? null,
    standing: (rule) => this.standing.get(rule) ?? '',
  };
  /** Emergencies that were said to be over, in order, and the alarms that were raised and returned for them. */
  readonly ended: string[] = [];
  readonly alarmWords: string[] = [];
  /** The newest form of each, also of those that the disk has not got yet. */
  readonly newest = new Map<string, Emergency>();
  /** What the disk refuses is owed until it takes it. */
  isDiskFull = false;
  readonly #owed: Batch[] = [];
  isMute = false;
  /** Who else hears of it, and of what goes to disk. */
  onEnd: (one: Emergency) => void = () => {};
  onCommit: (batch: Batch) => void = () => {};
  commits = 0;
  desk: EmergencyDesk;

  constructor(plans: object = {}) {
    this.#site = emergencySection.parse({
      allClear: 'clear',
      plans: {
        fire: { clips: ['siren', 'voice'] },
        earthquake: { clips: ['quake'] },
        storm: { clips: ['quake'] },
        ...plans,
      },
    });
    this.desk = this.#start([]);
  }
  readonly #site: EmergencyDeskOptions['site'];

  #start(stored: readonly Emergency[]): EmergencyDesk {
    const desk = new EmergencyDesk({
      ...{
        site: this.#site,
        zones,
        clock: this.clock,
        log: silentLog,
        stored,
        drillWord: { clip: 'word', length: 2_000 },
      },
      rooms: zones.map((zone) => ({ room: `space:${zone}`, zone, name: { zh: zone, en: zone } })),
      sound: {
        play: (wish) => this.#play(wish),
        stop: (item) => {
          this.sounds.delete(item);
          return { outcome: 'stopped' } as never;
        },
        hasClip: (clip) => Object.hasOwn(lengths, clip),
        lengthOf: (clip) => lengths[clip] ?? null,
        whyItem: (item) => this.#why(item),
        items: () => [...this.sounds.keys()].flatMap((item) => this.#why(item) ?? []).filter(isAlive),
      },
      commit: (batch) => this.#commit(batch),
      decide: (decisions) => {
        for (const one of decisions) {
          if (one.kind === 'raise') this.alarms.add(one.source);
          if (one.kind === 'return') this.alarms.delete(one.source);
          if (one.kind === 'raise' || one.kind === 'return') this.alarmWords.push(`${one.kind} ${one.source}`);
        }
      },
      resetRule: (rule, why) => this.rules.resetRule(rule, why),
      standing: (rule) => this.rules.standing(rule),
      onChange: () => {},
      onEnd: (one) => {
        this.ended.push(one.id);
        this.onEnd(one);
      },
    });
    desk.restored([...this.alarms]);
    return desk;
  }

  /** Another process takes over what was written; `isDeaf`: what sounded is lost. */
  restart(isDeaf = false): void {
    this.desk[Symbol.dispose]();
    if (isDeaf) {
      this.sounds.clear();
      this.#ever.clear();
    }
    const stored = [...this.disk.values()].filter(({ cleared }) => cleared === null);
    this.desk = this.#start(stored);
  }

  /** What is heard now. */
  loud(): readonly Sound[] {
    const now = this.clock.monotonic();
    return [...this.sounds.values()].filter(({ ends }) => ends === null || ends > now);
  }

  /** What is heard in a zone and goes on: `by` without its prefix, `clear` for the all clear. */
  heard(zone: ZoneId): string[] {
    return this.loud()
      .filter((one) => one.zones.includes(zone) && one.ends === null)
      .map(({ wish }) => wish.by);
  }

  begin(wish: Partial<EmergencyWish> = {}): Emergency {
    return this.desk.begin({
      ...{ kind: 'fire', drill: false, zones: null, why: 'smoke', origin: { kind: 'person' }, by: 'person:lin' },
      ...{ from: 'web', sounds: true },
      ...wish,
    }).emergency;
  }

  one(id: string): Emergency {
    const found = this.desk.open.find((each) => each.id === id);
    if (found === undefined) throw new Error(`${id} is not open`);
    return found;
  }

  isOpen(id: string): boolean {
    return this.desk.open.some((one) => one.id === id);
  }

  acts(id: string): string[] {
    return (this.disk.get(id)?.timeline ?? []).map(({ act }) => act);
  }

  [Symbol.dispose](): void {
    this.desk[Symbol.dispose]();
  }

  #play(wish: SoundWish) {
    if (this.isMute) throw new CodedError('SOUND_NO_SPEAKER', 'there is no loudspeaker where it is to be heard');
    this.said.push(wish);
    const id = newHappeningId(this.clock);
    const isLooped = wish.source.kind === 'clips' && wish.source.loop;
    const ends = isLooped ? null : this.clock.monotonic() + once;
    const sound = { wish, zones: wish.zones === 'all' ? zones : wish.zones, ends };
    this.sounds.set(id, sound);
    this.#ever.set(id, sound);
    return { item: id, outcome: 'taken', refusal: null } as never;
  }

  #why(item: HappeningId): ItemAnswer | null {
    const sound = this.#ever.get(item);
    if (sound === undefined) return null;
    const state = this.sounds.has(item) && this.loud().includes(sound) ? 'playing' : 'over';
    return { state, item: { id: item, ...sound.wish, zones: sound.zones } } as never;
  }

  /** The disk takes everything again. */
  pay(): void {
    this.isDiskFull = false;
    for (const batch of this.#owed.splice(0)) this.#write(batch);
  }

  #commit(batch: Batch): void {
    this.commits++;
    for (const one of batch.emergencies ?? []) this.newest.set(one.id, one);
    if (this.isDiskFull) this.#owed.push(batch);
    else this.#write(batch);
  }

  #write(batch: Batch): void {
    this.onCommit(batch);
    for (const one of batch.emergencies ?? []) this.disk.set(one.id, JSON.parse(JSON.stringify(one)) as Emergency);
    for (const { what } of batch.audit ?? []) this.audit.push(what);
  }
}

function isAlive({ state }: ItemAnswer): boolean {
  return state !== 'over';
}
