import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/**
 * A box between the driver and a simulated camera that spoils what goes through: answers in the camera's place, writes its
 * answers anew, or goes silent without closing anything (half-open TCP, as a camera that lost its power leaves it).
 */
export interface Answer {
  readonly status: number;
  readonly body: string | Buffer;
  readonly type?: string;
}

export interface Front extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Operations that came through here, with the header they were signed with. */
  readonly seen: { readonly operation: string; readonly signed: boolean; readonly at: number }[];
  /** Answers in the camera's place; null lets the camera answer. */
  answer: (operation: string, xml: string) => Answer | null;
  /** What becomes of an answer of the camera. */
  rewrite: (operation: string, body: Buffer) => Buffer;
  /** Bytes go nowhere, and no connection is closed. */
  frozen: boolean;
  /** Ends a pull that has waited for so long, ms, as some servers do after their own time. */
  patience: number;
}

const operationOf = (xml: string) => /<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)/.exec(xml)?.[1] ?? 'snapshot';

export async function standBefore(
  target: { host: string; port: number },
  { host = '127.0.0.1', port = 0 } = {},
): Promise<Front> {
  const sockets = new Set<Socket>();
  const seen: { operation: string; signed: boolean; at: number }[] = [];
  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const xml = Buffer.concat(chunks).toString('utf8');
    const operation = operationOf(xml);
    const signed = incoming.headers.authorization !== undefined || xml.includes('UsernameToken');
    seen.push({ operation, signed, at: performance.now() });
    if (front.frozen) return;
    const answer = front.answer(operation, xml);
    if (answer !== null) {
      outgoing.writeHead(answer.status, { 'content-type': answer.type ?? 'application/soap+xml' });
      outgoing.end(answer.body);
      return;
    }
    const impatient = operation === 'PullMessages' && Number.isFinite(front.patience);
    const timer = impatient ? setTimeout(() => outgoing.destroy(), front.patience) : undefined;
    outgoing.on('close', () => clearTimeout(timer));
    const { method, url, headers } = incoming;
    const to = { host: target.host, port: target.port, agent: false as const };
    const through = request({ ...to, method, path: url, headers: { ...headers, connection: 'close' } });
    through.on('error', () => outgoing.destroy());
    through.on('response', async (reply) => {
      const parts: Buffer[] = [];
      try {
        for await (const part of reply) parts.push(part);
      } catch {
        outgoing.destroy();
        return;
      }
      if (front.frozen) return;
      const body = front.rewrite(operation, Buffer.concat(parts));
      const { 'content-length': _, 'transfer-encoding': __, ...kept } = reply.headers;
      outgoing.writeHead(reply.statusCode ?? 500, { ...kept, 'content-length': body.length });
      outgoing.end(body);
    });
    outgoing.on('close', () => through.destroy());
    through.end(Buffer.concat(chunks));
  };
  const server = createServer((incoming, outgoing) => void serve(incoming, outgoing).catch(() => outgoing.destroy()));
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const front: Front = {
    host,
    port: (server.address() as AddressInfo).port,
    seen,
    answer: () => null,
    rewrite: (_, body) => body,
    frozen: false,
    patience: Number.POSITIVE_INFINITY,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return front;
}

/** A SOAP answer with this in its body. */
export function soapAnswer(body: string, status = 200): Answer {
  return {
    status,
    body: `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>${body}</s:Body></s:Envelope>`,
  };
}

/** What a camera says of itself when it is asked for its endpoint. */
export function endpointAnswer(uuid: string): Answer {
  return soapAnswer(
    `<t:GetEndpointReferenceResponse xmlns:t="http://www.onvif.org/ver10/device/wsdl"><t:GUID>urn:uuid:${uuid}</t:GUID></t:GetEndpointReferenceResponse>`,
  );
}
