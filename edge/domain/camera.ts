import type { DeviceId } from './ids.ts';

/** What a stream of a camera is for: `main` is recorded, `sub` is looked at on walls. A camera with one stream has only `main`. */
export const streamRoles = ['main', 'sub'] as const;
export type StreamRole = (typeof streamRoles)[number];

/** One stream as the camera describes it. */
export interface CameraStream {
  readonly role: StreamRole;
  /** The media profile's token. */
  readonly profile: string;
  readonly codec: 'h264' | 'h265' | 'other';
  /** Pixels; null: not said. */
  readonly width: number | null;
  readonly height: number | null;
  readonly frameRate: number | null;
  /** rtsp://host:port/path with the configured host, never with a password. */
  readonly uri: string;
}

export interface CameraPreset {
  readonly token: string;
  readonly name: string;
}

/** What a camera can do, as its driver found it; retained on the bus for `media` and core, which shows it to web. */
export interface CameraFacts {
  readonly device: DeviceId;
  /** When it was read, ms. */
  readonly time: number;
  readonly maker: string;
  readonly model: string;
  readonly firmware: string;
  /** WS-Discovery endpoint (urn:uuid:...), and hardware id; '' = unknown. */
  readonly endpoint: string;
  readonly serial: string;
  readonly streams: readonly CameraStream[];
  readonly ptz: { readonly presets: readonly CameraPreset[]; readonly home: boolean } | null;
  /** Its digital inputs and relay outputs, by token. */
  readonly inputs: readonly string[];
  readonly relays: readonly string[];
}
