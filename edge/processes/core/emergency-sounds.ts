import type { BroadcastItem } from '#edge/domain/broadcast.ts';
import type { Emergency, EmergencyKind } from '#edge/domain/emergency.ts';
import type { HappeningId, ZoneId } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { SiteEmergency } from '#edge/runtime/site-emergency.ts';
import type { BroadcastDesk } from './broadcast-desk.ts';
import type { BroadcastDeskPort } from './broadcast-port.ts';
import { type EmergencyPlan, emergencyPlans, soundOf } from './emergency-plans.ts';
import { alarmSource, allClearName, withLine } from './emergency-words.ts';

/* What is heard of emergencies: their sound, silence, and the all clear. */

export interface EmergencySoundsOptions {
  readonly site: SiteEmergency;
  readonly sound: Pick<BroadcastDeskPort, 'play' | 'stop' | 'hasClip' | 'lengthOf' | 'whyItem'> &
    Pick<BroadcastDesk, 'items'>;
  /** The clip that says that it is an exercise; null: there is none, and none can sound. */
  readonly drillWord: { readonly clip: string; readonly length: number } | null;
  readonly clock: Clock;
  readonly log: Log;
}

/** An all clear, with the zones in which it is said. */
type AllClear = Pick<BroadcastItem, 'zones' | 'drill' | 'by' | 'why'>;

/** An all clear that could not be heard within this, because something sounded, is heard no more, ms. */
const lateAllClear = 180_000;

export class EmergencySounds {
  readonly #options: EmergencySoundsOptions;
  /** Those that wait or are being said. */
  readonly #allClears = new Map<HappeningId, AllClear>();

  constructor(options: EmergencySoundsOptions) {
    this.#options = options;
  }

  plans(): Readonly<Record<EmergencyKind, EmergencyPlan>> {
    const { site, sound, drillWord } = this.#options;
    return emergencyPlans(site, {
      hasClip: (clip) => sound.hasClip(clip),
      lengthOf: (clip) => sound.lengthOf(clip),
      drillWord,
    });
  }

  /** Waits, plays or is cut: the arbiter tells for a while of what is over, too. */
  isAlive(item: HappeningId): boolean {
    const state = this.#options.sound.whyItem(item)?.state;
    return state !== undefined && state !== 'over';
  }

  /** Where it is not heard any more, now that of its items only these are alive. */
  lostZones(one: Emergency, alive: readonly HappeningId[]): readonly ZoneId[] {
    const zonesOf = (item: HappeningId) => this.#options.sound.whyItem(item)?.item.zones ?? one.zones;
    const loud = new Set(alive.flatMap(zonesOf));
    const lost = new Set(one.items.filter((item) => !alive.includes(item)).flatMap(zonesOf));
    return one.zones.filter((zone) => lost.has(zone) && !loud.has(zone) && !one.silent.includes(zone));
  }

  begun(one: Emergency, zones: readonly ZoneId[], plan: EmergencyPlan, who: string): Emergency {
    const { clock, sound } = this.#options;
    const trouble = (text: string) => withLine(one, clock.now(), 'trouble', 'core', text);
    if (plan.clips.length === 0) return trouble('no clip is set up for it: nothing is heard');
    try {
      const isWarning = one.origin.kind === 'warning';
      const drillWord = one.drill ? this.#options.drillWord : null;
      const { item, outcome, refusal } = sound.play({
        ...{ class: isWarning ? 'warning' : plan.class, name: one.name, zones, drill: one.drill },
        ...soundOf(plan, { isWarning, lengthOf: (clip) => sound.lengthOf(clip), drillWord }),
        // Its end is the word of the desk: by the clock that never steps, and not before the last who asks for it.
        ...{ until: null, by: alarmSource(one.id), why: one.why === '' ? one.name.en : one.why },
      });
      if (item === null) return trouble(`it does not sound: ${refusal?.code ?? outcome}`);
      const items = one.items.includes(item) ? one.items : [...one.items, item];
      const silent = one.silent.filter((zone) => !zones.includes(zone));
      return withLine({ ...one, items, silent }, clock.now(), 'sound', who, `${plan.words.zh} / ${plan.words.en}`);
    } catch (error) {
      // Without sound it is an emergency all the same.
      return trouble(`it does not sound: ${messageOf(error)}`);
    }
  }

  silenced(one: Emergency, by: string, why: string): Emergency {
    for (const item of one.items) this.#options.sound.stop(item, { by, why });
    return { ...one, items: [], silent: one.zones };
  }

  /** After a restart: all clears that are being said are known again. */
  restored(open: readonly Emergency[]): void {
    const { site, sound, log } = this.#options;
    for (const { item } of sound.items()) {
      if (!item.by.startsWith(alarmSource('')) || open.some(({ id }) => alarmSource(id) === item.by)) continue;
      const { source } = item;
      const isSaidOnce = source.kind === 'clips' && !source.loop;
      // That of an exercise has the word of the exercise in it.
      if (isSaidOnce && site.allClear !== null && source.clips.includes(site.allClear))
        this.#allClears.set(item.id, item);
      // Whether there is danger only people know: it is theirs to stop.
      else log.error({ item: item.id, by: item.by }, 'the sound of an emergency that is not known goes on');
    }
    this.takeBackAllClears(open);
  }

  /** Once, and nowhere that is in danger. */
  sayAllClear({ id, name, zones, drill }: Emergency, open: readonly Emergency[]): void {
    this.#sayAllClear({ zones, drill, by: alarmSource(id), why: `all clear: ${name.en}` }, open);
  }

  #sayAllClear(one: AllClear, open: readonly Emergency[]): void {
    const { site, sound, clock, log } = this.#options;
    const zones = safeZones(one, open);
    if (site.allClear === null || !sound.hasClip(site.allClear) || zones.length === 0) return;
    const { drill, by, why } = one;
    try {
      // As a warning: rooms that were quiet had heard the emergency, too.
      const { item } = sound.play({
        ...{ class: 'warning', name: allClearName, zones, drill, by, why },
        ...{ source: { kind: 'clips', clips: [site.allClear], loop: false }, until: clock.now() + lateAllClear },
      });
      if (item !== null) this.#allClears.set(item, { zones, drill, by, why });
    } catch (error) {
      // No loudspeaker there: there was nothing to be heard before either.
      log.warn({ error: messageOf(error), of: by }, 'the all clear is not heard');
    }
  }

  /** Where danger begins, an all clear of before must not be heard: not now, and not when it is quiet for a moment. */
  takeBackAllClears(open: readonly Emergency[]): void {
    for (const [item, one] of this.#allClears) {
      const isAlive = this.isAlive(item);
      if (isAlive && safeZones(one, open).length === one.zones.length) continue;
      this.#allClears.delete(item);
      if (!isAlive) continue;
      this.#options.sound.stop(item, { by: 'core', why: 'another emergency began' });
      this.#sayAllClear(one, open);
    }
  }
}

/** Of its zones those in which nothing real goes on; of an exercise none while anything real does. */
function safeZones({ zones, drill }: AllClear, open: readonly Emergency[]): readonly ZoneId[] {
  const real = open.filter((each) => !each.drill);
  if (drill && real.length > 0) return [];
  return zones.filter((zone) => !real.some((each) => each.zones.includes(zone)));
}
