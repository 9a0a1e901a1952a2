import { randomUUID } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import type { AddressInfo } from 'node:net';

/** A WS-Discovery neighbour on loopback, as raw as it gets: answers multicast and direct probes, says Hello and Bye. */
export interface AnnouncerOptions {
  /** 127.0.0.x */
  readonly host: string;
  readonly port: number;
  readonly endpoint: string;
  readonly xaddrs: string;
  readonly scopes?: string;
  readonly types?: string;
  /** Names another message than the one it answers. */
  readonly liesAboutProbe?: boolean;
  /** Answers probes sent to all; default true. */
  readonly hearsGroup?: boolean;
}

export interface Announcer extends AsyncDisposable {
  /** Probes heard, direct ones marked. */
  readonly heard: { readonly direct: boolean; readonly message: string }[];
  hello(): void;
  bye(): void;
}

const group = '239.255.255.250';

/** A UDP port that nobody has now. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address() as AddressInfo;
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

function envelope(action: string, header: string, body: string): string {
  return (
    '<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" ' +
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" ' +
    'xmlns:dn="http://www.onvif.org/ver10/network/wsdl">' +
    `<s:Header><a:MessageID>urn:uuid:${randomUUID()}</a:MessageID>${header}` +
    `<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/${action}</a:Action></s:Header><s:Body>${body}</s:Body></s:Envelope>`
  );
}

export async function announce(options: AnnouncerOptions): Promise<Announcer> {
  const { host, port, endpoint, xaddrs } = options;
  const heard: { direct: boolean; message: string }[] = [];
  const scopes =
    options.scopes ??
    'onvif://www.onvif.org/name/Lan%20Tian onvif://www.onvif.org/hardware/LT-8 onvif://www.onvif.org/MAC/02:00:5e:10:00:01';
  const thing =
    `<a:EndpointReference><a:Address>urn:uuid:${endpoint}</a:Address></a:EndpointReference>` +
    `<d:Types>${options.types ?? 'dn:NetworkVideoTransmitter'}</d:Types><d:Scopes>${scopes}</d:Scopes>` +
    `<d:XAddrs>${xaddrs}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion>`;
  const direct = createSocket({ type: 'udp4', reuseAddr: true });
  const all = createSocket({ type: 'udp4', reuseAddr: true });
  const open = (socket: Socket, address: string) =>
    new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, address, resolve);
    });
  await open(direct, host);
  await open(all, group);
  all.addMembership(group, '127.0.0.1');
  direct.setMulticastInterface('127.0.0.1');
  const answer = (isDirect: boolean) => (message: Buffer, peer: { address: string; port: number }) => {
    const xml = message.toString('utf8');
    if (!/<\w+:Probe>/.test(xml)) return;
    heard.push({ direct: isDirect, message: xml });
    if (!isDirect && options.hearsGroup === false) return;
    const asked = /MessageID>([^<]+)</.exec(xml)?.[1] ?? '';
    const relates = `<a:RelatesTo>${options.liesAboutProbe === true ? `uuid:${randomUUID()}` : asked}</a:RelatesTo>`;
    const body = `<d:ProbeMatches><d:ProbeMatch>${thing}</d:ProbeMatch></d:ProbeMatches>`;
    direct.send(envelope('ProbeMatches', relates, body), peer.port, peer.address);
  };
  direct.on('message', answer(true));
  all.on('message', answer(false));
  return {
    heard,
    hello: () => direct.send(envelope('Hello', '', `<d:Hello>${thing}</d:Hello>`), port, group),
    bye: () => direct.send(envelope('Bye', '', `<d:Bye>${thing}</d:Bye>`), port, group),
    async [Symbol.asyncDispose]() {
      await Promise.all([direct, all].map((s) => new Promise<void>((resolve) => s.close(() => resolve()))));
    },
  };
}
