import type { Device } from '#edge/domain/device.ts';
import type { Emergency } from '#edge/domain/emergency.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { DeviceId, ZoneId } from '#edge/domain/ids.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { SiteEmergency } from '#edge/runtime/site-emergency.ts';
import type { EmergencyDesk } from './emergency-desk.ts';

/*
 * What fire panels print begins an emergency: with the words of the panel, for the steps, the roll-call and the timeline. We follow the
 * panel and never replace it: its own sounders are the law's, and its reset is told and ends nothing, for all clear is a person's.
 */

export interface FirePanelsOptions {
  readonly devices: readonly Pick<Device, 'id' | 'protocol'>[];
  readonly site: SiteEmergency['panel'];
  readonly emergencies: Pick<EmergencyDesk, 'begin' | 'note' | 'open'>;
  readonly log: Log;
}

/** Lines of one panel in one emergency: a panel that prints without end must not push out how it began. */
const mostLines = 200;
const longestText = 200;

export class FirePanels {
  readonly #options: FirePanelsOptions;
  readonly #panels: ReadonlySet<DeviceId>;

  constructor(options: FirePanelsOptions) {
    this.#options = options;
    this.#panels = new Set(options.devices.flatMap(({ id, protocol }) => (protocol === 'fire-panel' ? [id] : [])));
  }

  /** In the turn in which core heard them. What fails here keeps nobody from anything else. */
  hear(events: readonly CampusEvent[]): void {
    for (const event of events) {
      const { device, type } = event;
      if (type !== 'fire_panel' || device === undefined || !this.#panels.has(device)) continue;
      try {
        this.#take(device, event);
      } catch (error) {
        this.#options.log.error({ error, device }, 'what the fire panel said could not be taken up');
      }
    }
  }

  /** Faults, disabled parts and tests are events like any other: they begin nothing. */
  #take(device: DeviceId, { data }: CampusEvent): void {
    const words = [data.text, data.part].map((word) => plain(String(word ?? ''))).filter((word) => word !== '');
    const text = words.join(' ').slice(0, longestText);
    if (data.what === 'fire') this.#fire(device, text === '' ? 'fire' : text);
    if (data.what === 'reset')
      for (const one of this.#of(device)) this.#tell(one, device, `消防主机已复位 / the panel was reset: ${text}`);
  }

  #fire(device: DeviceId, text: string): void {
    const { emergencies, site } = this.#options;
    const [before] = this.#of(device);
    const zones = this.#zonesOf(text);
    const { emergency } = emergencies.begin({
      ...{ kind: 'fire', drill: false, zones, why: text, sounds: site.sounds, from: 'core' },
      ...{ origin: { kind: 'panel', device }, by: `device:${device}` },
    });
    // The next detector is told even where it changes nothing.
    if (before !== undefined && emergency.timeline.length === before.timeline.length) this.#tell(before, device, text);
  }

  /** Where the site file says that this detector is; null: where the plan for a fire says. */
  #zonesOf(text: string): readonly ZoneId[] | null {
    const place = this.#options.site.places.find((one) => text.includes(one.text));
    return place === undefined ? null : [place.zone];
  }

  #of(device: DeviceId): readonly Emergency[] {
    return this.#options.emergencies.open.filter(({ causes }) =>
      causes.some(({ origin }) => origin.kind === 'panel' && origin.device === device),
    );
  }

  #tell({ id, timeline }: Emergency, device: DeviceId, text: string): void {
    const own = timeline.filter(({ who }) => who === `device:${device}`);
    if (own.length >= mostLines || own.at(-1)?.text === text) return;
    this.#options.emergencies.note(id, text, { who: `device:${device}`, from: 'core' });
  }
}

/** A line as people may read it: a panel is a stranger, too. */
function plain(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ').trim();
}
