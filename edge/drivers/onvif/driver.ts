import type { Driver } from '../driver.ts';
import type { OnvifConfig } from './config.ts';
import { parseOnvifConfig } from './config.ts';
import { CameraSession, type SessionOptions } from './session.ts';
import type { Sighting } from './whereabouts.ts';

export type OnvifDriverOptions = SessionOptions;

export interface OnvifDriver extends Driver<OnvifConfig> {
  /**
   * Discovery heard a camera: true when it is one of ours. One that is silent where it is looked for is gone after (and must show
   * there that it is the same before it is shown a password).
   */
  hear(sighting: Sighting): boolean;
  /** Some camera does not answer where it is looked for. */
  readonly misses: boolean;
}

/** Cameras by ONVIF: events, a picture with each, and whether they are there. */
export function onvifDriver(options: OnvifDriverOptions): OnvifDriver {
  const sessions = new Set<CameraSession>();
  return {
    protocol: 'onvif',
    config: { parse: parseOnvifConfig },
    async open(device, config, sink, signal) {
      const session = new CameraSession(options, device, config, sink, signal, () => sessions.delete(session));
      sessions.add(session);
      return session;
    },
    hear(sighting) {
      let ours = false;
      for (const session of sessions) ours = session.hear(sighting) || ours;
      return ours;
    },
    get misses() {
      return [...sessions].some((session) => session.isSilent);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...sessions].map((session) => session[Symbol.asyncDispose]()));
    },
  };
}
