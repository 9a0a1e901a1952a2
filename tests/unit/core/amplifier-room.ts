import { type Commands, createCommands } from '#edge/commands/commands.ts';
import type { HappeningId, PointRef, ZoneId } from '#edge/domain/ids.ts';
import type { Command } from '#edge/domain/output.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { AmplifierDesk } from '#edge/processes/core/amplifier-desk.ts';
import { amplifierPlans } from '#edge/processes/core/amplifier-plans.ts';
import { BroadcastDesk } from '#edge/processes/core/broadcast-desk.ts';
import type { SoundWish } from '#edge/processes/core/broadcast-port.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import type { SoundHappening } from '#edge/rules/sound.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import type { SiteAmplifier } from '#edge/runtime/site-amplifiers.ts';
import { place, point } from '../commands/desk.ts';
import { Disk, ten } from './broadcast-room.ts';

export const ref = (text: string) => text as PointRef;
export const zone = (id: string) => id as ZoneId;

/** Two classrooms' lines on one amplifier, a gate loudspeaker with none. */
const speakers = ['teaching', 'yard', 'gate'].map((id) => {
  const [made] = place(`line-${id}`, 'broadcast', [point('clip', 'text', { failSafe: '' })]);
  if (made === undefined) throw new Error('a place has a point');
  return { ...made, device: { ...made.device, zone: zone(id) } };
});
/** They have longer for their answer than the amplifier for its warm-up. */
const relays = place(
  'relay',
  'fieldbus',
  ['power', 'teaching', 'yard'].map((name) => point(name, 'boolean', { verifyWithin: 4_000 })),
);
const devices = [...speakers, ...relays.slice(0, 1)].map(({ device }) => device);

export const amplifier: SiteAmplifier = {
  id: 'main',
  name: { zh: '主楼功放', en: 'Main amplifier' },
  power: ref('relay/power'),
  warmUp: 3_000,
  afterRun: 20_000,
  speakers: ['line-teaching', 'line-yard'],
  zones: { [zone('teaching')]: ref('relay/teaching'), [zone('yard')]: ref('relay/yard') },
};

const lengths: Readonly<Record<string, number>> = { bell: 5_000, song: 60_000, evacuation: 9_000, word: 2_000 };

interface Run {
  readonly desk: BroadcastDesk;
  readonly amplifiers: AmplifierDesk;
  readonly commands: Commands;
}

/** The amplifier desk, the broadcast desk and the real `commands`; relays answer a quarter of a second later, unless they are dead. */
export class AmplifierRoom implements Disposable {
  readonly clock = new ManualClock(ten);
  readonly disk = new Disk();
  readonly sent: (Command & { readonly at: number })[] = [];
  readonly heard: SoundHappening[] = [];
  readonly alarms: AlarmDecision[] = [];
  readonly latest = new Map<PointRef, Reading>();
  readonly dead = new Set<string>();
  planned: number | null = null;
  #run: Run;
  readonly #answered = new Set<string>();

  constructor() {
    this.#run = this.#start();
  }

  get desk(): BroadcastDesk {
    return this.#run.desk;
  }
  get commands(): Commands {
    return this.#run.commands;
  }
  get amplifiers(): AmplifierDesk {
    return this.#run.amplifiers;
  }

  #start(): Run {
    const bus = {
      publish: (topic: string, payload: object | null) => {
        if (topic.startsWith('v1/command/'))
          this.sent.push({ ...(JSON.parse(JSON.stringify(payload)) as Command), at: this.clock.now() });
        return Promise.resolve();
      },
      subscribe: () => Promise.reject(new Error('nobody subscribes here')),
    };
    const { amplifiers: known, problems } = amplifierPlans([amplifier], devices);
    if (problems.length > 0) throw new Error(problems.join('\n'));
    let desk: BroadcastDesk | null = null;
    const commands: Commands = createCommands({
      ...{ points: [...speakers, ...relays], bus, append: this.disk.append, clock: this.clock, log: silentLog },
      restored: { holds: [...this.disk.holds.values()].flat(), state: {} },
      requestGrants: () => ['*/*'],
      onAlarms: () => {},
      onUnrecorded: () => {},
      onOutput: (changed) => {
        desk?.onOutput(changed);
        amplifiers.onOutput(changed);
      },
    });
    const amplifiers = new AmplifierDesk({
      ...{ amplifiers: known, commands: () => commands, latest: () => this.latest, clock: this.clock, isDriven: true },
      planned: () => this.planned,
      decide: (decisions) => void this.alarms.push(...decisions),
    });
    desk = new BroadcastDesk({
      ...{ devices: speakers.map(({ device }) => device), commands: () => commands, append: this.disk.append },
      ...{ stored: () => [...this.disk.sounds.values()], clock: this.clock, log: silentLog, gate: amplifiers },
      ...{ drillWord: null, sirens: [], onChange: () => {}, isDriven: true },
      clip: (name) => {
        const length = lengths[name];
        return length === undefined ? undefined : { length, isEndless: false };
      },
    });
    desk.onHappening((happenings) => void this.heard.push(...happenings));
    commands.start();
    commands.adoptInterlockHolds([...this.disk.holds.values()].flat());
    amplifiers.begin(desk);
    desk.begin();
    commands.onProcessReady('broadcast');
    commands.onProcessReady('fieldbus');
    return { desk, amplifiers, commands };
  }

  async restart(gap = 2_000): Promise<void> {
    this[Symbol.dispose]();
    this.clock.advance(gap);
    this.#run = this.#start();
    await this.settle();
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 30; i++) await Promise.resolve();
  }

  async pass(ms: number): Promise<void> {
    await this.settle();
    for (let left = ms; left > 0; left -= 250) {
      this.clock.advance(Math.min(250, left));
      this.#obey();
      this.commands.tick();
      this.desk.tick();
      this.amplifiers.tick();
      await this.settle();
    }
  }

  #obey(): void {
    for (const { id, device, point: name, value } of [...this.sent]) {
      const where = `${device}/${name}`;
      if (this.#answered.has(id)) continue;
      this.#answered.add(id);
      if (this.dead.has(where)) continue;
      const outcome = device === 'relay' ? 'done' : 'sent';
      this.commands.onResult({ id, device, point: name, outcome, value, time: this.clock.now() });
      if (device === 'relay') this.read(where, value === true);
    }
  }

  read(where: string, value: boolean): void {
    const time = this.clock.now();
    this.latest.set(ref(where), { ref: ref(where), value, quality: 'good', time, receivedTime: time } as never);
  }

  /** null: refused. */
  offer(more: Partial<SoundWish> & { readonly clip?: string; readonly loop?: boolean } = {}): HappeningId | null {
    const { clip = 'song', loop = false, ...wish } = more;
    const { item } = this.desk.play({
      ...{ class: 'page', name: { zh: '通知', en: 'Notice' }, zones: [zone('teaching')] },
      ...{ by: 'person:lin', why: 'a notice', source: { kind: 'clips', clips: [clip], loop } },
      ...wish,
    });
    return item;
  }

  play(more: Parameters<AmplifierRoom['offer']>[0] = {}): HappeningId {
    const item = this.offer(more);
    if (item === null) throw new Error('the sound was refused');
    return item;
  }

  /** What was told from then on, in its order: `relay/power=true +250`. */
  story(from: number): string[] {
    return this.sent
      .filter(({ at }) => at >= from)
      .map(({ device, point: name, value, at }) => {
        const what =
          typeof value === 'string' ? (value === '' ? 'silence' : (value.split(' ')[0] ?? '')) : String(value);
        return `${device}/${name}=${what} +${at - from}`;
      });
  }

  /** What a relay or a loudspeaker was last told; undefined: nothing. */
  told(where: string): unknown {
    return this.sent.findLast(({ device, point: name }) => `${device}/${name}` === where)?.value;
  }

  [Symbol.dispose](): void {
    this.#run.amplifiers[Symbol.dispose]();
    this.#run.desk[Symbol.dispose]();
  }
}
