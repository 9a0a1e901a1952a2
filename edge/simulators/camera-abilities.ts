import type { Clock } from '#edge/runtime/clock.ts';
import type { CameraClock } from './camera-clock.ts';
import { endpointUuid } from './camera-discovery.ts';
import { CameraIo, type IoDialect } from './camera-io.ts';
import { type CameraProfile, media2Answer, mediaAnswer } from './camera-media.ts';
import { CameraPtz, type PtzQuirk } from './camera-ptz.ts';
import { deviceAnswer, serviceAt } from './camera-services.ts';
import type { CameraMessage } from './camera-subscriptions.ts';

/** What a simulated camera can do beside telling events; everything has a default that a usual PTZ camera has. */
export interface AbilityOptions {
  /** Where its RTSP server is; default: `:554/Streaming/Channels/101` and `102` of a server that does not exist. */
  readonly rtsp?: { readonly port: number; readonly main?: string; readonly sub?: string };
  /** Default: `main` 1280 x 720 and `sub` 640 x 360, H.264, 25 frames a second. An entry's `uri` overrides what `rtsp` says. */
  readonly profiles?: readonly (Omit<CameraProfile, 'uri'> & { readonly uri?: string })[];
  /** `broken`: offered, and answers nothing but faults (D-Link). Default: yes. */
  readonly media2?: 'yes' | 'no' | 'broken';
  readonly ptz?: boolean;
  readonly ptzQuirk?: PtzQuirk;
  /** Contacts; default 2 inputs, and one relay that stays and one that falls back after a second. */
  readonly inputs?: number;
  readonly relays?: readonly ('Bistable' | 'Monostable')[];
  /** Its relays switch, and no event says so. */
  readonly muteRelays?: boolean;
  /** `capabilities`: a camera that does not know GetServices. */
  readonly lists?: 'services' | 'capabilities';
  readonly firmware?: string;
  /** Default: by its port. */
  readonly serial?: string;
  /** How it says that it keeps time; default NTP. */
  readonly keepsTime?: 'NTP' | 'Manual';
  /** ms ahead of the true time; default 0. */
  readonly clockOffset?: number;
}

export interface AbilitySite {
  readonly clock: Clock;
  readonly cameraClock: CameraClock;
  readonly model: string;
  readonly manufacturer: string;
  readonly io: IoDialect;
  readonly serial: () => string;
  /** What it says of its own address. */
  readonly base: () => string;
  readonly say: (message: Omit<CameraMessage, 'time'>) => void;
}

type Answer = string | { readonly subcode: string; readonly reason: string } | null;

/** The device, media, PTZ and contact services of a simulated camera. */
export class CameraAbilities implements Disposable {
  readonly #options: AbilityOptions;
  readonly #site: AbilitySite;
  readonly ptz: CameraPtz;
  readonly io: CameraIo;
  /** Path of the one stream that older tests ask for. */
  readonly #stream: string | undefined;

  constructor(options: AbilityOptions & { readonly stream?: string | undefined }, site: AbilitySite) {
    const { inputs = 2, relays = ['Bistable', 'Monostable'] } = options;
    const { clock, say, io } = site;
    this.#options = options;
    this.#site = site;
    this.#stream = options.stream;
    this.ptz = new CameraPtz(clock, options.ptzQuirk ?? 'none');
    this.io = new CameraIo({ inputs, relays, dialect: io, isMute: options.muteRelays ?? false, say });
  }

  get profiles(): readonly CameraProfile[] {
    const usual = { encoding: 'H264', frameRate: 25 } as const;
    const {
      profiles = [
        { token: 'Profile_1', name: 'mainStream', width: 1280, height: 720, ...usual },
        { token: 'Profile_2', name: 'subStream', width: 640, height: 360, ...usual },
      ],
    } = this.#options;
    return profiles.map((profile, i) => ({ ...profile, uri: profile.uri ?? this.#uriOf(i) }));
  }

  #uriOf(index: number): string {
    if (index === 0 && this.#stream !== undefined) return this.#stream;
    const host = this.#site
      .base()
      .replace(/^https?:\/\//, '')
      .replace(/:\d+$/, '');
    const { rtsp } = this.#options;
    if (rtsp === undefined) return `rtsp://${host}:554/Streaming/Channels/10${index + 1}`;
    const path = [rtsp.main ?? '/main', rtsp.sub ?? '/sub'][index] ?? `/stream${index + 1}`;
    return `rtsp://${host}:${rtsp.port}${path}`;
  }

  /** The body of the answer, a fault, or null for what it cannot do. `time` is what it believes. */
  answer(operation: string, path: string, xml: string, time: number): Answer {
    const { media2 = 'yes', ptz = true, lists = 'services', firmware = 'V5.7.3' } = this.#options;
    const { manufacturer, model, io, serial, base, cameraClock } = this.#site;
    const has = { media2: media2 !== 'no', ptz, deviceIo: io.service === 'deviceIo' };
    const media = {
      profiles: this.profiles,
      snapshotUri: `${base()}/onvif/snapshot?channel=1&size=main`,
      hasPtz: ptz,
    };
    switch (serviceAt(path)) {
      case 'media':
        return mediaAnswer(operation, xml, media);
      case 'media2':
        return media2 === 'yes' ? media2Answer(operation, xml, media) : null;
      case 'ptz':
        return ptz ? this.ptz.answer(operation, xml, time) : null;
      case 'deviceIo':
        return this.io.answer(operation, xml, 'deviceIo');
      default: {
        if (operation === 'GetSystemDateAndTime') return cameraClock.read(time);
        const endpoint = endpointUuid(serial());
        const about = { manufacturer, model, serial: serial(), firmware, base: base(), endpoint, has, lists };
        const own = deviceAnswer(operation, about) ?? cameraClock.answer(operation, xml);
        // Small cameras have everything at one address.
        return own ?? this.io.answer(operation, xml, 'device') ?? mediaAnswer(operation, xml, media);
      }
    }
  }

  [Symbol.dispose](): void {
    this.io[Symbol.dispose]();
  }
}
