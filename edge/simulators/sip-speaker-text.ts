import { createSocket, type Socket } from 'node:dgram';
import { isIP } from 'node:net';

/* What a simulated SIP speaker says, and the two ports that its sound comes in by. */

export function headersOf(text: string): Map<string, string> {
  const head = text.slice(0, text.indexOf('\r\n\r\n'));
  const found = new Map<string, string>();
  for (const line of head.split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    if (!found.has(name)) found.set(name, line.slice(colon + 1).trim());
  }
  return found;
}

interface Said {
  readonly status: number;
  readonly reason: string;
  readonly headers: Map<string, string>;
  readonly more: string;
  readonly body: string;
  readonly tag: string;
  readonly address: string;
  readonly port: number;
  readonly recordRoute: string | null;
}

export function response({ status, reason, headers, more, body, tag, address, port, recordRoute }: Said): string {
  const via = (headers.get('via') ?? '').replace(/;rport(?=;|$)/, `;rport=${port};received=${address}`);
  const to = headers.get('to') ?? '';
  const tagged = tag === '' || /;tag=/.test(to) ? to : `${to};tag=${tag}`;
  const route = recordRoute === null || status < 200 || status > 299 ? '' : `Record-Route: ${recordRoute}\r\n`;
  return (
    `SIP/2.0 ${status} ${reason}\r\nVia: ${via}\r\nFrom: ${headers.get('from')}\r\nTo: ${tagged}\r\nCall-ID: ${headers.get('call-id')}\r\n` +
    `CSeq: ${headers.get('cseq')}\r\n${route}${more}Content-Length: ${body.length}\r\n\r\n${body}`
  );
}

export function reasonOf(status: number): string {
  const reasons: Readonly<Record<number, string>> = {
    486: 'Busy Here',
    480: 'Temporarily Unavailable',
    404: 'Not Found',
  };
  return reasons[status] ?? 'Refused';
}

/** Two neighbouring ports, the lower one even. */
export async function pair(host: string): Promise<readonly [Socket, Socket]> {
  const bound = (port: number) => {
    const socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4');
    const { promise, resolve, reject } = Promise.withResolvers<Socket>();
    socket.once('error', reject);
    socket.bind(port, host, () => resolve(socket));
    return promise;
  };
  for (;;) {
    const first = await bound(0);
    const { port } = first.address();
    const other = await bound(port % 2 === 0 ? port + 1 : port - 1).catch(() => null);
    if (other !== null) return port % 2 === 0 ? [first, other] : [other, first];
    first.close();
  }
}
