import type { DeviceId, HappeningId, ZoneId } from './ids.ts';

/*
 * A case: what was taken out about one incident (footage, pictures, what happened and who did what), as one signed file. Who took it
 * out, when and why stays with it, and its footage is kept until somebody lets the case go.
 */

export const caseStates = ['building', 'ready', 'failed', 'released'] as const;
export type CaseState = (typeof caseStates)[number];

export interface Case {
  readonly id: HappeningId;
  readonly incident: HappeningId;
  /** `released`: let go; its file is gone and its footage protected by it no more. */
  readonly state: CaseState;
  readonly zone: ZoneId | null;
  readonly cameras: readonly DeviceId[];
  /** What of the footage, ms since epoch, end exclusive. */
  readonly from: number;
  readonly to: number;
  /** What the site file masks is covered in it, or left out. */
  readonly masked: boolean;
  /** When it was asked for, ms. */
  readonly time: number;
  readonly who: string;
  readonly name: string;
  readonly why: string;
  /** SHA-256 of the zip and of its manifest, hex; '' while it is being made. */
  readonly sha256: string;
  readonly manifest: string;
  readonly bytes: number;
  /** What is missing in it, or why it could not be made; '' nothing. */
  readonly message: string;
  readonly released: {
    readonly who: string;
    readonly name: string;
    readonly time: number;
    readonly why: string;
  } | null;
}

/** One file of a case, as its manifest lists it. */
export interface CaseEntry {
  readonly path: string;
  readonly bytes: number;
  /** SHA-256, hex. */
  readonly sha256: string;
}

/** `manifest.json` of a case. Its bytes as they lie in the zip are what is signed. */
export interface CaseManifest {
  readonly case: 1;
  readonly id: string;
  readonly incident: string;
  readonly campus: { readonly id: string; readonly zh: string; readonly en: string };
  readonly made: { readonly time: number; readonly who: string; readonly name: string; readonly why: string };
  readonly footage: {
    readonly from: number;
    readonly to: number;
    readonly cameras: readonly string[];
    readonly masked: boolean;
  };
  readonly software: string;
  /** Of the public key, SHA-256 of its DER form, hex. */
  readonly key: string;
  /** Every file of the zip but the manifest, its signature and the public key. */
  readonly files: readonly CaseEntry[];
  /** What was asked for and is not in it, and why. */
  readonly missing: readonly { readonly what: string; readonly why: string }[];
}
