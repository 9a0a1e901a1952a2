import type { Device } from '#edge/domain/device.ts';
import type { ZoneId } from '#edge/domain/ids.ts';
import { BroadcastDesk } from '#edge/processes/core/broadcast-desk.ts';
import { EmergencyDesk, type EmergencyDeskOptions } from '#edge/processes/core/emergency-desk.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { emergencySection } from '#edge/runtime/site-emergency.ts';
import { place, point } from '../commands/desk.ts';

/* A desk of emergencies over a real desk of sound with one loudspeaker; the room says which clip is heard in which moment. */

const lengths: Readonly<Record<string, number>> = { quake: 10_000, intruder: 4_000, fire: 4_000 };

function lengthOf(clip: string): number | null {
  return lengths[clip] ?? (/^n\d+$/.test(clip) ? 1_000 : null);
}

export class SoundRoom implements Disposable {
  readonly clock = new ManualClock(Date.UTC(2026, 10, 23, 2));
  readonly broadcast: BroadcastDesk;
  readonly desk: EmergencyDesk;
  /** What was asked for so far. */
  plays = 0;

  constructor() {
    const [made] = place('speaker-hall', 'broadcast', [point('clip', 'text', { failSafe: '' })]);
    if (made === undefined) throw new Error('a place has a point');
    const hall: Device = { ...made.device, zone: 'hall' as ZoneId };
    this.broadcast = new BroadcastDesk({
      ...{ devices: [hall], stored: () => [], append: async () => {}, drillWord: null, sirens: [] },
      commands: () => ({ setInterlockHolds: () => {}, holdsOn: () => [] }) as never,
      clip: (name) => {
        const length = lengthOf(name);
        return length === null ? undefined : { length, isEndless: false };
      },
      ...{ onChange: () => {}, clock: this.clock, log: silentLog, isDriven: true },
    });
    this.broadcast.begin();
    this.desk = new EmergencyDesk({
      site: emergencySection.parse({
        plans: {
          earthquake: { clips: ['quake'] },
          intrusion: { clips: ['intruder'] },
          fire: { clips: ['fire'] },
        },
      }),
      ...{ zones: ['hall' as ZoneId], rooms: [], sound: this.sound, drillWord: null, stored: [] },
      ...{ commit: () => {}, decide: () => {}, resetRule: () => null, standing: () => '', onChange: () => {} },
      ...{ onEnd: () => {}, clock: this.clock, log: silentLog },
    });
  }

  get sound(): EmergencyDeskOptions['sound'] {
    return {
      items: () => this.broadcast.items(),
      play: (wish) => {
        this.plays++;
        return this.broadcast.play(wish);
      },
      stop: (item, said) => this.broadcast.stop(item, said),
      hasClip: (clip) => this.broadcast.hasClip(clip),
      lengthOf: (clip) => this.broadcast.lengthOf(clip),
      whyItem: (item) => this.broadcast.whyItem(item),
    };
  }

  /** Time goes by, and everybody has his turn as often as in core. */
  pass(ms: number, turn: () => void): void {
    for (let at = 0; at < ms; at += 10) {
      this.clock.advance(10);
      this.broadcast.tick();
      if (this.clock.now() % 1_000 === 0) this.desk.tick();
      turn();
    }
  }

  /** The clip that the only loudspeaker plays in this moment; '': it is silent. */
  heard(zone: ZoneId): string {
    const [order] = [...this.broadcast.orders()].flatMap(([ref, one]) =>
      this.broadcast.speakers.get(ref)?.zone === zone ? [one.order] : [],
    );
    if (order === undefined || order.source.kind !== 'clips') return '';
    const { clips, loop } = order.source;
    const round = clips.reduce((sum, clip) => sum + (lengthOf(clip) ?? 0), 0);
    let position = this.clock.now() - (order.since ?? this.clock.now());
    if (loop) position %= round;
    for (const clip of clips) {
      position -= lengthOf(clip) ?? 0;
      if (position < 0) return clip;
    }
    return '';
  }

  /** Everything that plays or waits for its turn. */
  waiting(zone: ZoneId): string[] {
    return this.broadcast.items().flatMap(({ item }) => (item.zones.includes(zone) ? [item.name.en] : []));
  }

  [Symbol.dispose](): void {
    this.desk[Symbol.dispose]();
    this.broadcast[Symbol.dispose]();
  }
}
