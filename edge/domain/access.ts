import type { Name } from './place.ts';

/*
 * Who may do what. A role is a fixed set of rights; where they hold is the person's zones. Three powers are kept apart:
 * the administrator runs the system and its accounts but neither reads nor alters the audit, the auditor reads it and
 * can do nothing else, and those who act (security, facility, timetable) do neither.
 */

export const roles = ['security', 'facility', 'timetable', 'administrator', 'auditor', 'viewer'] as const;
export type Role = (typeof roles)[number];

export const rights = [
  /** Places, devices, points, outputs, alarms, events, plans and history of one's zones. */
  'see',
  /** Pictures of cameras. */
  'pictures',
  /** Watch cameras live, turn them and go to their presets. */
  'live',
  /** Look at footage; each look is in the audit. */
  'playback',
  /** Take footage out: clips and cases, with what is masked covered. */
  'evidence',
  /** Footage and pictures without masks. */
  'unmasked',
  /** See, claim, hand over and resolve incidents; patrols. */
  'incidents',
  /** Begin and end emergencies and their exercises, speak as the duty microphone, end a one-key alarm. */
  'emergency',
  /** Speak, play and stop sounds, loudness, the library of clips. */
  'broadcast',
  /** Hand in public warnings and what an earthquake terminal says: for tokens of machines. */
  'warn',
  /** Take values out as a file. */
  'export',
  /** Acknowledge and shelve alarms. */
  'acknowledge',
  /** Hold and let go of outputs, reset interlocks. */
  'operate',
  /** Inbox, adopting devices, trying profiles, plans and what lies on them. */
  'devices',
  /** The register of assets and their maintenance. */
  'assets',
  'flows-view',
  'flows-edit',
  /** Write, rehearse, shadow, activate and roll back rules; of a safety rule: propose. Modes of the campus. */
  'rules',
  /** Approve what somebody else proposed for a safety rule. */
  'safety',
  /** Write the school's calendar, timetables and schedules; rain, quiet and other exceptions of the day. */
  'school',
  /** Sign off what the schedules will do, and take it back. */
  'sign',
  /** Processes, logs, disk, database, bridge. */
  'system',
  /** Make and fetch a back-up: it holds everything, so it is apart from `system`. */
  'backup',
  /** Accounts, everybody's sessions, API tokens. */
  'people',
  /** Read, verify and export the audit. */
  'audit',
  /** The page that maps settings to control points. */
  'security',
] as const;
export type Right = (typeof rights)[number];

export const rightsOf: Readonly<Record<Role, readonly Right[]>> = {
  security: [
    'see',
    'pictures',
    'live',
    'playback',
    'evidence',
    'incidents',
    'emergency',
    'broadcast',
    'export',
    'acknowledge',
    'operate',
    'safety',
  ],
  facility: [
    'see',
    'export',
    'acknowledge',
    'operate',
    'devices',
    'assets',
    'flows-view',
    'flows-edit',
    'rules',
    'safety',
    'broadcast',
    'school',
    'sign',
  ],
  timetable: ['see', 'export', 'broadcast', 'school', 'sign'],
  administrator: [
    'see',
    'pictures',
    'live',
    'playback',
    'evidence',
    'unmasked',
    'incidents',
    'emergency',
    'broadcast',
    'warn',
    'export',
    'acknowledge',
    'operate',
    'devices',
    'assets',
    'flows-view',
    'flows-edit',
    'rules',
    'safety',
    'school',
    'sign',
    'system',
    'backup',
    'people',
    'security',
  ],
  auditor: ['see', 'export', 'audit', 'security'],
  viewer: ['see'],
};

export const roleNames: Readonly<Record<Role, Name>> = {
  security: { zh: '安保', en: 'Security' },
  facility: { zh: '后勤', en: 'Facility' },
  timetable: { zh: '教务', en: 'Timetable' },
  administrator: { zh: '管理员', en: 'Administrator' },
  auditor: { zh: '审计', en: 'Auditor' },
  viewer: { zh: '访客', en: 'Viewer' },
};

/** Roles whose work is the whole campus: they cannot be limited to zones. */
export const campusWideRoles: readonly Role[] = ['administrator', 'auditor'];

/** Zone ids, or the whole campus, including what belongs to no zone (processes, the store, the bridge). */
export type Zones = 'all' | readonly string[];

/** Whether something in a zone (undefined: in none) is within somebody's zones. */
export function coversZone(zones: Zones, zone: string | undefined): boolean {
  return zones === 'all' || (zone !== undefined && zones.includes(zone));
}

/** Somebody (or a machine) who has proved who he is. */
export interface Principal {
  /** As the audit says it: `person:<id>` or `token:<id>`. */
  readonly who: string;
  readonly id: string;
  readonly name: string;
  /** null for an API token. */
  readonly role: Role | null;
  readonly rights: ReadonlySet<Right>;
  readonly zones: Zones;
}
