import type { CameraFacts } from '#edge/domain/camera.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import type { Ports } from './device-io.ts';
import { readPorts } from './device-io.ts';
import type { Asker } from './facts-ask.ts';
import { deviceNs } from './facts-ask.ts';
import { findServices, type ServicePaths } from './facts-services.ts';
import type { PtzKnowledge } from './ptz.ts';
import { hasHome, readPresets } from './ptz-calls.ts';
import { plainText, text } from './soap.ts';
import type { Profiles, Reach } from './streams.ts';
import { chooseRoles, readProfiles, readStreams } from './streams.ts';

/** What is told on, and what the driver itself needs to use it. */
export interface Knowledge {
  readonly facts: CameraFacts;
  readonly ptz: PtzKnowledge | null;
  readonly ports: Ports;
}

export interface FactsOptions {
  readonly asker: Asker;
  readonly device: DeviceId;
  readonly clock: Clock;
  readonly reach: Reach;
}

const word = (value: string) => plainText(value.slice(0, 256));

/** Profile with PTZ: that of the main stream, else any. */
function ptzProfile({ profiles }: Profiles): string | null {
  const { main } = chooseRoles(profiles);
  if (main?.hasPtz) return main.token;
  return profiles.find(({ hasPtz }) => hasPtz)?.token ?? null;
}

async function readPtz(
  asker: Asker,
  { ptz: path }: ServicePaths,
  profiles: Profiles,
  signal: AbortSignal,
): Promise<{ known: PtzKnowledge; home: boolean } | null> {
  const profile = ptzProfile(profiles);
  // Fixed cameras offer the service too; a profile with a PTZ configuration is what moves.
  if (path === null || profile === null) return null;
  const place = { path, profile };
  const presets = (await readPresets(asker, place, signal)) ?? [];
  return { known: { place, presets }, home: await hasHome(asker, path, signal) };
}

/** WS-Discovery's name for it, where the camera tells it in this way too; '' = unknown. */
async function readEndpoint(asker: Asker, signal: AbortSignal): Promise<string> {
  const body = `<GetEndpointReference xmlns="${deviceNs}"/>`;
  const answer = await asker.tryAsk({ path: asker.devicePath, body }, signal);
  const guid = text(answer, 'GUID').toLowerCase();
  const [uuid] = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(guid) ?? [];
  return uuid === undefined ? '' : `urn:uuid:${uuid}`;
}

/** Everything a camera says about itself, about a dozen questions. @throws Trouble when it is not to be had. */
export async function readFacts(options: FactsOptions, signal: AbortSignal): Promise<Knowledge> {
  const { asker, device, clock, reach } = options;
  asker.forgive();
  const information = { path: asker.devicePath, body: `<GetDeviceInformation xmlns="${deviceNs}"/>` };
  const about = await asker.ask(information, signal);
  const services = await findServices(asker, signal);
  const profiles = await readProfiles(asker, services, signal);
  const streams = await readStreams(asker, services, profiles, reach, signal);
  const ptz = await readPtz(asker, services, profiles, signal);
  const ports = await readPorts(asker, services, signal);
  const endpoint = await readEndpoint(asker, signal);
  const facts: CameraFacts = {
    device,
    time: clock.now(),
    maker: word(text(about, 'Manufacturer')),
    model: word(text(about, 'Model')),
    firmware: word(text(about, 'FirmwareVersion')),
    endpoint,
    serial: word(text(about, 'SerialNumber')),
    streams,
    ptz:
      ptz === null ? null : { presets: ptz.known.presets.map(({ token, name }) => ({ token, name })), home: ptz.home },
    inputs: ports.inputs,
    relays: ports.relays.map(({ token }) => token),
  };
  return { facts, ptz: ptz?.known ?? null, ports };
}
