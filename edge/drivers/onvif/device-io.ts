import type { Asker } from './facts-ask.ts';
import { deviceNs } from './facts-ask.ts';
import type { ServicePaths } from './facts-services.ts';
import { child, children, escapeXml, text } from './soap.ts';
import { Trouble } from './trouble.ts';

const ioNs = 'http://www.onvif.org/ver10/deviceIO/wsdl';
const maxPorts = 64;

export interface RelayOutput {
  readonly token: string;
  /** A monostable one falls back by itself after `delay` ms. */
  readonly mode: 'bistable' | 'monostable';
  readonly delay: number | null;
}

/** Which service has the relays, and in whose words: the standard keeps those of the device service in both, devices do not. */
export interface RelayDialect {
  readonly path: string;
  readonly namespace: string;
}

export interface Ports {
  /** Tokens of digital inputs, in the camera's order. */
  readonly inputs: readonly string[];
  readonly relays: readonly RelayOutput[];
  readonly dialect: RelayDialect | null;
}

/** `PT5S`, `PT0.5S`, `PT1M`, as ms; null when it is none. */
export function readSpan(value: string): number | null {
  const [, h = '0', m = '0', s = '0'] =
    /^PT(?:(\d{1,4})H)?(?:(\d{1,6})M)?(?:(\d{1,8}(?:\.\d{1,9})?)S)?$/.exec(value) ?? [];
  const span = (Number(h) * 3600 + Number(m) * 60 + Number(s)) * 1000;
  return span > 0 ? span : null;
}

function readRelay(node: unknown): RelayOutput {
  const properties = child(node, 'Properties');
  const mode = /mono/i.test(text(properties, 'Mode')) ? 'monostable' : 'bistable';
  return { token: text(node, '@token').slice(0, 256), mode, delay: readSpan(text(properties, 'DelayTime')) };
}

async function readRelays(asker: Asker, services: ServicePaths, signal: AbortSignal) {
  const { deviceIo } = services;
  const dialects: RelayDialect[] = [
    ...(deviceIo === null ? [] : [{ path: deviceIo, namespace: deviceNs }]),
    { path: asker.devicePath, namespace: deviceNs },
    ...(deviceIo === null ? [] : [{ path: deviceIo, namespace: ioNs }]),
  ];
  for (const dialect of dialects) {
    const answer = await asker.tryAsk(
      { path: dialect.path, body: `<GetRelayOutputs xmlns="${dialect.namespace}"/>` },
      signal,
    );
    const nodes = answer === null ? [] : children(answer, 'RelayOutputs').slice(0, maxPorts);
    const relays = nodes.map(readRelay).filter(({ token }) => token !== '');
    if (relays.length > 0) return { relays, dialect };
  }
  return { relays: [], dialect: null };
}

/** The contacts of a camera; empty lists where it has none. */
export async function readPorts(asker: Asker, services: ServicePaths, signal: AbortSignal): Promise<Ports> {
  const { deviceIo } = services;
  const answer =
    deviceIo === null
      ? null
      : await asker.tryAsk({ path: deviceIo, body: `<GetDigitalInputs xmlns="${ioNs}"/>` }, signal);
  const nodes = answer === null ? [] : children(answer, 'DigitalInputs').slice(0, maxPorts);
  const inputs = nodes.map((node) => text(node, '@token').slice(0, 256)).filter((token) => token !== '');
  return { inputs, ...(await readRelays(asker, services, signal)) };
}

/** @throws Trouble `fault` when the camera refuses. */
export async function setRelay(
  asker: Asker,
  { dialect, token, isActive }: { dialect: RelayDialect; token: string; isActive: boolean },
  signal: AbortSignal,
): Promise<void> {
  const body =
    `<SetRelayOutputState xmlns="${dialect.namespace}"><RelayOutputToken>${escapeXml(token)}</RelayOutputToken>` +
    `<LogicalState>${isActive ? 'active' : 'inactive'}</LogicalState></SetRelayOutputState>`;
  try {
    await asker.ask({ path: dialect.path, body, timeout: 3_000 }, signal);
  } catch (error) {
    // Done, and said with an empty body.
    if (error instanceof Trouble && error.kind === 'broken-xml' && error.message.includes('without')) return;
    throw error;
  }
}
