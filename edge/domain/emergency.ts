import type { HappeningId, ZoneId } from './ids.ts';
import type { Name } from './place.ts';

/*
 * Emergencies: what is said and done when a campus is in danger, who said so, and whether everybody is accounted for. This follows the fire
 * panel and the public warnings and never replaces them. Times are ms since epoch.
 */

export const emergencyKinds = ['fire', 'earthquake', 'intrusion', 'storm', 'other'] as const;
export type EmergencyKind = (typeof emergencyKinds)[number];

/** What it began with. */
export type EmergencyOrigin =
  /** A person pressed a button of the console. */
  | { readonly kind: 'person' }
  /** A rule of priority 1 fired (smoke, fire panel by contact, one-key alarm): its own holds sound, and it is reset with the all clear. */
  | { readonly kind: 'rule'; readonly rule: string }
  /** A fire panel said so by its printer line. */
  | { readonly kind: 'panel'; readonly device: string }
  /** A public warning; key: `<sender> <identifier>`. */
  | { readonly kind: 'warning'; readonly key: string }
  /** An earthquake terminal; when the waves arrive here and how strong they are felt (China's intensity scale, GB/T 17742, 1 to 12). */
  | {
      readonly kind: 'terminal';
      readonly device: string;
      readonly event: string;
      readonly arrival: number;
      readonly intensity: number;
      readonly magnitude: number | null;
      readonly place: string;
    };

/** Who asks for it. It goes on while one of these does; a person's all clear is the end of all of them. */
export interface EmergencyCause {
  readonly origin: EmergencyOrigin;
  /** `person:<id>`, `rule:<rule>`, `device:<id>`, `warning:<sender>`. */
  readonly by: string;
  /** When this one is over by itself; null: by whoever takes it back, or a person. */
  readonly until: number | null;
}

/** Whether everybody who belongs to a room is accounted for. */
export const rollStates = ['unknown', 'all', 'missing', 'help'] as const;
export type RollState = (typeof rollStates)[number];

export interface RollCall {
  /** `space:<id>` or, where the site file knows no spaces of it, `zone:<id>`. */
  readonly room: string;
  readonly zone: ZoneId;
  readonly name: Name;
  readonly state: RollState;
  /** Counted; null: not said. Names of children are never taken. */
  readonly present: number | null;
  readonly missing: number | null;
  readonly note: string;
  /** '' until somebody said something. */
  readonly by: string;
  readonly time: number | null;
}

export const emergencyActs = [
  ...['began', 'sound', 'step', 'said', 'roll', 'update', 'sounds-stopped', 'goes-on', 'cleared', 'note', 'trouble'],
] as const;
export type EmergencyAct = (typeof emergencyActs)[number];

/** A line of the timeline, which nobody can change afterwards. */
export interface EmergencyLine {
  readonly time: number;
  readonly act: EmergencyAct;
  /** `person:<id>`, `rule:<rule>`, `device:<id>`, `warning:<sender>`, `core`. */
  readonly who: string;
  readonly text: string;
  /** What it tells of is in this zone alone. */
  readonly zone?: ZoneId;
}

export interface Emergency {
  readonly id: HappeningId;
  readonly kind: EmergencyKind;
  readonly name: Name;
  readonly drill: boolean;
  /** What it began with. */
  readonly origin: EmergencyOrigin;
  readonly causes: readonly EmergencyCause[];
  readonly zones: readonly ZoneId[];
  readonly since: number;
  /** null: it goes on. */
  readonly cleared: number | null;
  readonly by: string;
  readonly why: string;
  /** What sounds for it: broadcast items. */
  readonly items: readonly HappeningId[];
  /** Where somebody wanted it to be quiet for now. */
  readonly silent: readonly ZoneId[];
  /** What to do, in order, as the site file has it; `done` by whom and when. */
  readonly steps: readonly {
    readonly text: Name;
    readonly done: { readonly by: string; readonly time: number } | null;
  }[];
  readonly roll: readonly RollCall[];
  /** Oldest first, at most 1,000. */
  readonly timeline: readonly EmergencyLine[];
  /** When it is over by itself (a warning expires); null: by a person alone. */
  readonly until: number | null;
}
