import { Cam } from 'onvif';
import { parseSOAPString } from 'onvif/lib/utils.js';
import { messageOf } from '#edge/runtime/errors.ts';
import type { Caller } from './caller.ts';
import { plainText } from './soap.ts';
import { Trouble, type TroubleKind } from './trouble.ts';

/** What we ask a camera beside its events; the library behind it can be exchanged. */
export interface CameraCalls {
  /** Also the proof that the password is right: the call is not public. */
  identify(signal: AbortSignal): Promise<CameraIdentity>;
  /** Where its services are. Paths only: hosts and ports that a camera names are never dialled. */
  services(signal: AbortSignal): Promise<CameraServices>;
}

export interface CameraIdentity {
  readonly manufacturer: string;
  readonly model: string;
  readonly firmware: string;
  readonly serial: string;
}

export interface CameraServices {
  readonly events: string;
  /** Path and query of the picture; null when the camera offers none. */
  readonly snapshot: string | null;
}

const word = (value: unknown) => plainText(String(value ?? '').slice(0, 64));

const longestPath = 1024;

/** Path and query of an address a camera names, whatever host it claims. */
export function pathOf(address: string, fallback: string): string {
  if (address.length > longestPath) return fallback;
  try {
    const { pathname, search } = new URL(address, 'http://camera.invalid');
    return pathname === '/' && search === '' ? fallback : `${pathname}${search}`;
  } catch {
    return fallback;
  }
}

const unknowing: ReadonlySet<TroubleKind> = new Set(['fault', 'broken-xml', 'http', 'not-onvif', 'too-large']);

type Answered<T> = (error: Error | null, data?: T) => void;

/**
 * npm onvif knows the dialects of device and media calls; only its words are used. Its transport is replaced by ours,
 * which signs (UTF-8 passwords, every digest), bounds time and size, and never follows a camera to another host. Its
 * answers are read inside a fence: it throws on answers it did not expect, which would otherwise end the process.
 */
export function npmOnvif(caller: Caller, options: { path: string; timeout: number }): CameraCalls {
  const cam = new Cam({ hostname: 'camera.invalid', autoconnect: false, useWSSecurity: false, preserveAddress: true });
  let current: AbortSignal = AbortSignal.abort();

  const request = (
    asked: { service?: string; body: string },
    callback: (error: unknown, data?: unknown, xml?: string) => void,
  ) => {
    const known: Readonly<Record<string, { path?: string | null } | undefined>> = { ...cam.uri };
    const path = (asked.service === undefined ? null : known[asked.service]?.path) ?? options.path;
    const body = /<s:Body[^>]*>([\s\S]*)<\/s:Body>/.exec(asked.body)?.[1] ?? '';
    const what = /<(?:\w+:)?(\w+)/.exec(body)?.[1] ?? 'call';
    caller
      .call({ what, path, body, timeout: options.timeout, signal: current })
      .then(
        (reply) => parseSOAPString(reply.raw, (error, data, xml) => callback.call(cam, error, data, xml), reply.status),
        (error: unknown) => callback.call(cam, error),
      )
      .catch((error: unknown) => callback.call(cam, error));
  };
  Object.assign(cam, { _request: request });

  const ask = <T>(signal: AbortSignal, start: (done: Answered<T>) => void): Promise<T | undefined> =>
    new Promise((resolve, reject) => {
      current = signal;
      start((error, data) => {
        if (!error) return resolve(data);
        const why = `camera ${caller.where} sent an answer that cannot be understood: ${messageOf(error)}`;
        reject(error instanceof Trouble ? error : new Trouble('broken-xml', why, { cause: error }));
      });
    });

  /** True when it worked; only troubles of the connection itself go on. What a camera does not know it answers in many ways. */
  const tolerate = async (calling: Promise<unknown>): Promise<boolean> => {
    try {
      await calling;
      return true;
    } catch (error) {
      if (error instanceof Trouble && unknowing.has(error.kind)) return false;
      throw error;
    }
  };

  const snapshotPath = async (signal: AbortSignal): Promise<string | null> => {
    if (!cam.uri?.media && !cam.media2Support) return null;
    const profiles = () => tolerate(ask(signal, (done) => cam.getProfiles(done)));
    // D-Link DCS-8635LH and others offer Media2 and cannot speak it.
    if (!(await profiles()) && cam.media2Support) {
      cam.media2Support = false;
      await profiles();
    }
    const profileToken = word(cam.profiles?.[0]?.$?.token);
    if (profileToken === '') return null;
    let found = '';
    const asked = ask<{ uri?: unknown }>(signal, (done) => cam.getSnapshotUri({ profileToken }, done));
    await tolerate(
      asked.then((answer) => {
        found = String(answer?.uri ?? '').slice(0, 1024);
      }),
    );
    return found === '' ? null : pathOf(found, '/');
  };

  /** Some hang up on GetServices, which is younger than they are; a camera that does so on both has other troubles. */
  const listServices = async (signal: AbortSignal): Promise<void> => {
    const list = ask(signal, (done) => cam.getServices(false, done));
    const hungUp = (error: unknown) => {
      if (error instanceof Trouble && error.kind === 'closed') return false;
      throw error;
    };
    if (await tolerate(list).catch(hungUp)) return;
    await tolerate(ask(signal, (done) => cam.getCapabilities(done)));
  };

  return {
    async identify(signal) {
      const info: Readonly<Record<string, unknown>> = {
        ...(await ask(signal, (done) => cam.getDeviceInformation(done))),
      };
      return {
        manufacturer: word(info.manufacturer),
        model: word(info.model),
        firmware: word(info.firmwareVersion),
        serial: word(info.serialNumber),
      };
    },
    async services(signal) {
      await listServices(signal);
      const named = String(cam.uri?.events?.path ?? '').slice(0, longestPath);
      // Cameras lie both ways about pull points (Axis, Bosch): it is tried whatever they say.
      return { events: named === '' ? '/onvif/event_service' : named, snapshot: await snapshotPath(signal) };
    },
  };
}
