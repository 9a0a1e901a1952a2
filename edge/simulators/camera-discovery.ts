import { createHash } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { element } from './camera-soap.ts';

/** WS-Discovery 2005/04 as ONVIF uses it: how a camera answers "who is there?". */
const group = '239.255.255.250';
const port = 3702;

export interface DiscoveryOptions {
  /** Address of the interface to listen on (IPv4). */
  readonly host: string;
  readonly serial: string;
  readonly address: () => string;
  readonly scopes: readonly string[];
}

/** The camera's own name, the same for ever. */
export function endpointUuid(serial: string): string {
  const hex = createHash('sha1').update(serial).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

function probeMatches(relatesTo: string, options: DiscoveryOptions): string {
  const uuid = endpointUuid(options.serial);
  return (
    '<?xml version="1.0" encoding="UTF-8"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope" ' +
    'xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/08/addressing" ' +
    'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl">' +
    `<SOAP-ENV:Header><wsa:MessageID>urn:uuid:${uuid}</wsa:MessageID><wsa:RelatesTo>${relatesTo}</wsa:RelatesTo>` +
    '<wsa:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</wsa:To>' +
    '<wsa:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</wsa:Action></SOAP-ENV:Header>' +
    '<SOAP-ENV:Body><d:ProbeMatches><d:ProbeMatch><wsa:EndpointReference>' +
    `<wsa:Address>urn:uuid:${uuid}</wsa:Address></wsa:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types>` +
    `<d:Scopes>${options.scopes.join(' ')}</d:Scopes><d:XAddrs>${options.address()}</d:XAddrs>` +
    '<d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches></SOAP-ENV:Body></SOAP-ENV:Envelope>'
  );
}

/** Answers probes until disposed. Several cameras on one machine share the port. */
export async function answerProbes(options: DiscoveryOptions): Promise<AsyncDisposable> {
  const socket: Socket = createSocket({ type: 'udp4', reuseAddr: true });
  socket.on('message', (message, peer) => {
    const xml = message.toString('utf8');
    if (!/Probe[\s/>]/.test(xml)) return;
    // The one who asked may be gone: nothing depends on the answer.
    socket.send(probeMatches(element(xml, 'MessageID'), options), peer.port, peer.address, () => {});
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, () => {
      socket.off('error', reject);
      resolve();
    });
  });
  socket.addMembership(group, options.host);
  return {
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}
