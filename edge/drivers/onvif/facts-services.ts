import type { Asker } from './facts-ask.ts';
import { deviceNs } from './facts-ask.ts';
import { pathOf } from './library.ts';
import type { Xml } from './soap.ts';
import { child, children, text } from './soap.ts';

/** Where a camera has its services: paths only, because hosts and ports that it names are never dialled. null: it has not got it. */
export interface ServicePaths {
  readonly media: string | null;
  readonly media2: string | null;
  readonly ptz: string | null;
  readonly deviceIo: string | null;
}

const namespaces: Readonly<Record<keyof ServicePaths, RegExp>> = {
  media: /ver10\/media\/wsdl/i,
  media2: /ver20\/media\/wsdl/i,
  ptz: /ver[12]0\/ptz\/wsdl/i,
  deviceIo: /ver10\/deviceio\/wsdl/i,
};

/** Some serve everything at one address and leave the others out of the list. */
const nothing: ServicePaths = { media: null, media2: null, ptz: null, deviceIo: null };

function fromServices(answer: Xml, fallback: string): ServicePaths {
  const found: { -readonly [name in keyof ServicePaths]: string | null } = { ...nothing };
  for (const service of children(answer, 'Service').slice(0, 64)) {
    const namespace = text(service, 'Namespace');
    for (const name of ['media', 'media2', 'ptz', 'deviceIo'] as const) {
      if (namespaces[name].test(namespace)) found[name] ??= pathOf(text(service, 'XAddr'), fallback);
    }
  }
  return found;
}

function fromCapabilities(answer: Xml, fallback: string): ServicePaths {
  const all = child(answer, 'Capabilities');
  const at = (...path: string[]) => {
    if (child(all, ...path) === undefined) return null;
    return pathOf(text(all, ...path, 'XAddr'), fallback);
  };
  return { media: at('Media'), media2: null, ptz: at('PTZ'), deviceIo: at('Extension', 'DeviceIO') ?? at('DeviceIO') };
}

const isEmpty = (paths: ServicePaths) => Object.values(paths).every((path) => path === null);

/** Asks GetServices, else GetCapabilities (older than 2011), else takes it that there is a media service at the same address. */
export async function findServices(asker: Asker, signal: AbortSignal): Promise<ServicePaths> {
  const path = asker.devicePath;
  const list = `<GetServices xmlns="${deviceNs}"><IncludeCapability>false</IncludeCapability></GetServices>`;
  const services = await asker.tryAsk({ path, body: list }, signal);
  const found = services === null ? nothing : fromServices(services, path);
  if (!isEmpty(found)) return found;
  const capabilities = `<GetCapabilities xmlns="${deviceNs}"><Category>All</Category></GetCapabilities>`;
  const answer = await asker.tryAsk({ path, body: capabilities }, signal);
  const old = answer === null ? nothing : fromCapabilities(answer, path);
  return isEmpty(old) ? { ...nothing, media: path } : old;
}
