import type { ProfileView } from './place-schemas.ts';

/** A profile as web is told of it by whoever starts it: web reads no profiles itself. */
export interface KnownProfile extends ProfileView {
  /** Manufacturer and model; '' for a kind of device that many make. */
  readonly make: string;
  readonly model: string;
  /** Where the values of an MQTT sensor stand in its message, e.g. `temperature`, `ENERGY.Power`. */
  readonly paths: readonly string[];
}
