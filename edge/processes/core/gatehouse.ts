import type { Commands } from '#edge/commands/commands.ts';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { Calendar } from '#edge/domain/calendar.ts';
import type { ProcessHealth } from '#edge/domain/health.ts';
import type { DeviceId, PointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { RpcMethod } from '#edge/runtime/rpc.ts';
import type { Site } from '#edge/runtime/site.ts';
import { recordingPlanOf } from '#edge/runtime/site-cameras.ts';
import { defaultGrouping } from '#edge/runtime/site-gatehouse.ts';
import type { Batch } from '#edge/store/batch.ts';
import type { Reader } from '#edge/store/reader.ts';
import type { Campus } from '../campus.ts';
import { createTurnMethods } from './camera-turn.ts';
import { ClipDesk } from './clips.ts';
import { KeptFootage } from './clips-kept.ts';
import { type AskFootage, footageAsker } from './clips-media.ts';
import { incidentState } from './incident-book.ts';
import { CaseDesk } from './incident-cases.ts';
import { IncidentDesk } from './incident-desk.ts';
import { createIncidentMethods } from './incident-methods.ts';
import type { Judgement } from './judgement.ts';
import { PanicDesk } from './panic.ts';
import { PatrolDesk, patrolState } from './patrol-desk.ts';
import { RecordingWatch } from './recording-watch.ts';

export interface GatehouseOptions {
  readonly site: Site;
  readonly campus: Pick<Campus, 'devices'>;
  readonly data: string;
  readonly calendar: Calendar;
  readonly modes: () => ReadonlySet<string>;
  readonly reader: Reader;
  /** What core remembers, by name. */
  readonly stored: Readonly<Record<string, unknown>>;
  readonly storedAlarms: readonly Alarm[];
  readonly latest: () => ReadonlyMap<PointRef, Reading>;
  readonly commands: () => Pick<Commands, 'pulse'>;
  readonly judgement: () => Pick<Judgement, 'reset' | 'acknowledge' | 'instances' | 'openAlarms'>;
  /** Stores, then tells. */
  readonly commit: (batch: Batch) => Promise<void>;
  readonly decide: (decisions: readonly AlarmDecision[]) => void;
  readonly clock: Clock;
  readonly log: Log;
  /** Default: the process `media`. */
  readonly ask?: AskFootage;
}

const settleEvery = 10_000;

/** Incidents, clips, the one-key alarm, patrols, and the watch over recording: everything of core that the gatehouse works with. */
export class Gatehouse implements AsyncDisposable {
  readonly methods: Readonly<Record<string, RpcMethod>>;
  readonly #incidents: IncidentDesk;
  readonly #clips: ClipDesk;
  readonly #panic: PanicDesk;
  readonly #patrols: PatrolDesk;
  readonly #recording: RecordingWatch;
  readonly #stack = new DisposableStack();

  constructor(options: GatehouseOptions) {
    const { site, campus, reader, stored, commit, decide, clock, log, latest, judgement, commands } = options;
    const cameras = campus.devices.filter(({ protocol }) => protocol === 'onvif');
    const isCamera = (device: DeviceId): boolean => cameras.some(({ id }) => id === device);
    const zones = new Map(site.devices.map(({ id, zone }) => [id, zone]));
    const planOf = (camera: DeviceId) => recordingPlanOf(site.cameras, camera);
    const during = (label: string, time: number) => options.calendar.is(label, time) || options.modes().has(label);
    const openAlarms = () => judgement().openAlarms;
    const kept = new KeptFootage({ reader, keepFootage: site.incidents.keepFootage, isCamera, rolls: planOf, log });
    this.#incidents = new IncidentDesk({
      ...{ during, reader, commit, decide, openAlarms, clock, log },
      rules: site.incidents.rules ?? defaultGrouping,
      zoneOf: (device) => zones.get(device),
      zoneName: (zone) => site.zones.find(({ id }) => id === zone)?.name,
      stored: stored[incidentState],
      acknowledge: ({ id }, who, note) => {
        const { verdict } = judgement().acknowledge(id, who.replace(/^person:/, ''), note);
        commit(verdict).catch(() => {}); // owed to the disk, and an alarm
      },
      onChange: (incident) => kept.incident(incident),
    });
    const ask = options.ask ?? footageAsker(options.data);
    const onChange = (clip: Parameters<KeptFootage['clip']>[0]) => kept.clip(clip);
    this.#clips = new ClipDesk({ isCamera, planOf, during, reader, ask, commit, onChange, clock, log });
    const [incidents, clips] = [this.#incidents, this.#clips];
    this.#panic = new PanicDesk({
      ...{ incidents, clips, commands, judgement, commit, clock },
      panic: site.panic,
      devices: campus.devices,
    });
    this.#patrols = new PatrolDesk({
      ...{ reader, commit, decide, clock },
      places: site.keyPlaces,
      timeZone: site.campus.timeZone,
      stored: stored[patrolState],
      shown: (ref) => latest().get(ref)?.value ?? null,
      isAsked: (ref) => campus.devices.find(({ id }) => ref.startsWith(`${id}/`))?.protocol !== 'mqtt',
      isOpen: (source) => openAlarms().get(source)?.active === true,
    });
    this.#recording = new RecordingWatch({
      ...{ latest, decide, clock },
      cameras: cameras.map(({ id, name, zone }) => ({ id, name, zone })),
      protectedQuota: site.cameras.protectedQuota,
      alarmed: options.storedAlarms.flatMap(({ source, active }) => (active ? [source] : [])),
    });
    const cases = new CaseDesk({ incidents, reader, isCamera, commit, onChange: (one) => kept.case(one), clock });
    const [panic, patrols] = [this.#panic, this.#patrols];
    const epoch = () => reader.meta().epoch;
    this.methods = {
      ...createIncidentMethods({ incidents, clips, kept, epoch, cases, panic, patrols, commit, clock }),
      ...createTurnMethods({ devices: campus.devices, commands, commit, clock }),
    };
  }

  /** Whether something still stands behind the source of an alarm. */
  isSource(source: string): boolean {
    return [this.#incidents, this.#patrols, this.#recording].some((desk) => desk.isSource(source));
  }

  get open() {
    return this.#incidents.open;
  }

  /** After the first look of the rules. */
  begin(): void {
    this.#incidents.begin();
    this.#patrols.begin();
    this.#stack.use(new Ticker(1_000, () => this.#tick()));
    this.#stack.use(new Ticker(settleEvery, () => this.#clips.settle()));
    this.#stack.use(new Ticker(60_000, () => this.#patrols.tick()));
  }

  /**
   * Everything that goes to disk passes here, in the turn that made it: what it brings (incidents, clips, check-ins) goes with it, in one
   * transaction, so that nobody is told of an event whose incident is not there.
   */
  enrich(batch: Batch): Batch {
    const pressed = batch.alarms === undefined ? null : this.#panic.hear(batch.alarms);
    const patrols = batch.readings === undefined ? [] : this.#patrols.hear(batch.readings);
    const { incidents, of } = this.#incidents.hear(batch.events ?? []);
    const clips = this.#clips.hear(batch.events ?? [], of);
    const brought: Batch = {
      events: gathered(batch.events, pressed?.events),
      incidents: gathered(batch.incidents, incidents, pressed?.incidents),
      clips: gathered(batch.clips, clips, pressed?.clips),
      patrols: gathered(batch.patrols, patrols),
      audit: gathered(batch.audit, pressed?.audit),
    };
    const isAny = pressed !== null || patrols.length > 0 || incidents.length > 0 || clips.length > 0;
    if (!isAny) return batch;
    const { patient: _, ...rest } = batch;
    const some = Object.fromEntries(Object.entries(brought).filter(([, list]) => list.length > 0));
    const state = { ...batch.state, ...this.#incidents.state };
    return { ...rest, ...some, ...(brought.incidents?.length === 0 ? {} : { state }) };
  }

  /** null: it has left. */
  hearMedia(health: ProcessHealth | null): void {
    if (health === null) this.#recording.leave();
    else this.#recording.hear(health.media);
  }

  #tick(): void {
    this.#incidents.tick();
    this.#clips.tick();
    this.#recording.tick();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stack.dispose();
    await this.#incidents.flush().catch(() => {}); // owed to a disk that refuses; found again by the events
  }
}

function gathered<T>(...lists: readonly (readonly T[] | undefined)[]): readonly T[] {
  return lists.flatMap((list) => list ?? []);
}
