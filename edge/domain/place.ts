import type { CampusId, SpaceId, ZoneId } from './ids.ts';

/** A name in the languages of the console; zh comes first. */
export interface Name {
  readonly zh: string;
  readonly en: string;
}

export interface Campus {
  readonly id: CampusId;
  readonly name: Name;
  /** IANA zone, e.g. Asia/Shanghai. */
  readonly timeZone: string;
}

export interface Space {
  readonly id: SpaceId;
  readonly name: Name;
}

export interface Floor {
  readonly id: string;
  readonly name: Name;
  readonly spaces: readonly Space[];
}

export interface Building {
  readonly id: string;
  readonly name: Name;
  readonly floors: readonly Floor[];
}

/** Controlled as one: a wing, a playground, a gate. */
export interface Zone {
  readonly id: ZoneId;
  readonly name: Name;
  readonly spaces: readonly SpaceId[];
}
