/*
 * Public warnings as the Common Alerting Protocol 1.2 (OASIS, ITU-T X.1303bis) has them, whatever they came as. Times are ms since
 * epoch; texts are what strangers wrote.
 */

export const warningStatuses = ['Actual', 'Exercise', 'System', 'Test', 'Draft'] as const;
export type WarningStatus = (typeof warningStatuses)[number];
export const warningTypes = ['Alert', 'Update', 'Cancel', 'Ack', 'Error'] as const;
export type WarningType = (typeof warningTypes)[number];
export const warningScopes = ['Public', 'Restricted', 'Private'] as const;
export type WarningScope = (typeof warningScopes)[number];
export const warningCategories = [
  ...['Geo', 'Met', 'Safety', 'Security', 'Rescue', 'Fire', 'Health', 'Env', 'Transport', 'Infra', 'CBRNE', 'Other'],
] as const;
export const warningUrgencies = ['Immediate', 'Expected', 'Future', 'Past', 'Unknown'] as const;
export type WarningUrgency = (typeof warningUrgencies)[number];
/** Worst first. */
export const warningSeverities = ['Extreme', 'Severe', 'Moderate', 'Minor', 'Unknown'] as const;
export type WarningSeverity = (typeof warningSeverities)[number];
export const warningCertainties = ['Observed', 'Likely', 'Possible', 'Unlikely', 'Unknown'] as const;
export type WarningCertainty = (typeof warningCertainties)[number];

/** Who said what when: what another message refers to. */
export interface WarningReference {
  readonly sender: string;
  readonly identifier: string;
  readonly sent: number;
}

/** Degrees, WGS 84. */
export interface WarningPoint {
  readonly latitude: number;
  readonly longitude: number;
}

export interface WarningArea {
  readonly description: string;
  readonly polygons: readonly (readonly WarningPoint[])[];
  readonly circles: readonly { readonly center: WarningPoint; readonly kilometres: number }[];
  /** Codes of places by the name of their system, e.g. the statistical division code (行政区划代码). */
  readonly codes: readonly { readonly system: string; readonly code: string }[];
}

export interface WarningInfo {
  /** RFC 3066; `en-US` where nothing is said. */
  readonly language: string;
  readonly categories: readonly string[];
  readonly event: string;
  readonly responses: readonly string[];
  readonly urgency: WarningUrgency;
  readonly severity: WarningSeverity;
  readonly certainty: WarningCertainty;
  readonly effective: number | null;
  readonly onset: number | null;
  readonly expires: number | null;
  readonly senderName: string;
  readonly headline: string;
  readonly description: string;
  readonly instruction: string;
  readonly parameters: readonly { readonly name: string; readonly value: string }[];
  readonly areas: readonly WarningArea[];
}

export interface PublicWarning extends WarningReference {
  readonly status: WarningStatus;
  readonly type: WarningType;
  readonly scope: WarningScope;
  readonly note: string;
  readonly references: readonly WarningReference[];
  readonly infos: readonly WarningInfo[];
}

/** What is done with a message. `sound`: said aloud; `show`: told to people, not said aloud; `end`: nothing more than ending others. */
export type WarningAct = 'sound' | 'show' | 'end' | 'none';

export type WarningReason =
  | 'new'
  | 'update'
  | 'cancel'
  | 'below-threshold'
  | 'too-often'
  | 'not-actual'
  | 'not-public'
  | 'foreign-sender'
  | 'not-signed'
  | 'expired'
  | 'from-the-future'
  | 'too-old'
  | 'duplicate'
  | 'overtaken'
  | 'elsewhere'
  | 'without-information'
  | 'not-a-warning'
  | 'unknown-reference'
  | 'not-theirs';

/** Why a message sounds, is shown, or is left alone; and which warnings are over by it. */
export interface WarningVerdict {
  readonly act: WarningAct;
  readonly reason: WarningReason;
  /** The part for this place in the language of the campus; null where there is none. */
  readonly info: WarningInfo | null;
  /** When it is over unless something is said before; ms. null: it says nothing for this place. */
  readonly until: number | null;
  /** `<sender> <identifier>` of what it ends. */
  readonly ends: readonly string[];
}

/** How a warning is known here. */
export function warningKey({ sender, identifier }: Pick<WarningReference, 'sender' | 'identifier'>): string {
  return `${sender} ${identifier}`;
}
