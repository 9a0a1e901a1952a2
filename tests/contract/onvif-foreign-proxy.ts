import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Camera } from '#edge/simulators/camera.ts';

/*
 * A camera of another make: a simulated one behind a proxy that writes its answers as other ONVIF servers do (gSOAP by hand, Python,
 * Java, embedded web servers), without changing what they mean.
 */

export interface Answer {
  readonly operation: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string;
}

export interface ForeignStyle {
  /** Another way to write an answer. */
  readonly rewrite?: (answer: Answer) => Answer;
  /** How it goes out; default: with a length, HTTP/1.1. */
  readonly transport?: 'chunked' | 'http10' | 'slow';
  /** Everything is served at one path: requests find their service by the namespace of what they ask. */
  readonly oneAddress?: boolean;
  /** `hangUp`: the connection ends where an answer should be. */
  readonly missing?: {
    readonly operations: readonly string[];
    readonly how: 'html404' | 'empty405' | 'empty500' | 'hangUp' | 'fault500';
  };
}

export interface ForeignCamera extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
}

const operationOf = (xml: string) => /<(?:[\w-]+:)?Body[^>]*>\s*<(?:[\w-]+:)?(\w+)/.exec(xml)?.[1] ?? '';

const services: readonly (readonly [namespace: string, path: string])[] = [
  ['ver20/media/wsdl', '/onvif/media2_service'],
  ['ver10/media/wsdl', '/onvif/media_service'],
  ['ver20/ptz/wsdl', '/onvif/ptz_service'],
  ['ver10/deviceIO/wsdl', '/onvif/deviceio_service'],
  ['ver10/events/wsdl', '/onvif/event_service'],
];

function pathFor(xml: string, path: string): string {
  const body = /<(?:[\w-]+:)?Body[^>]*>([\s\S]*)/.exec(xml)?.[1] ?? '';
  const [first = ''] = /<[^>]*>/.exec(body) ?? [];
  const found = services.find(([namespace]) => first.includes(namespace));
  // Pull points have addresses of their own.
  return path.startsWith('/onvif/subscription') || found === undefined ? path : found[1];
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function forward(camera: Camera, request: IncomingMessage, path: string, body: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { host, port } = camera;
    const { 'content-length': _, ...headers } = request.headers;
    const outgoing = send({
      host,
      port,
      path,
      method: request.method,
      headers: { ...headers, 'content-length': body.length },
    });
    outgoing.on('response', resolve);
    outgoing.on('error', reject);
    request.on('close', () => outgoing.destroy());
    outgoing.end(body);
  });
}

function refuse(how: NonNullable<ForeignStyle['missing']>['how'], response: ServerResponse): void {
  const fault =
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault><s:Code><s:Value>s:Receiver</s:Value>' +
    '</s:Code><s:Reason><s:Text xml:lang="en">Method not implemented</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>';
  switch (how) {
    case 'html404':
      return void response.writeHead(404, { 'content-type': 'text/html' }).end('<html><body>Not Found</body></html>');
    case 'empty405':
      return void response.writeHead(405).end();
    case 'empty500':
      return void response.writeHead(500).end();
    case 'fault500':
      return void response.writeHead(500, { 'content-type': 'application/soap+xml' }).end(fault);
    case 'hangUp':
      return void response.socket?.destroy();
  }
}

function deliver({ status, headers, body }: Answer, style: ForeignStyle, response: ServerResponse): void {
  const bytes = Buffer.from(body);
  const lines = Object.entries(headers).flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}\r\n`));
  switch (style.transport) {
    case 'http10': {
      // No length: the end of the connection is the end of the answer.
      response.socket?.end(`HTTP/1.0 ${status} X\r\n${lines.join('')}\r\n${body}`);
      return;
    }
    case 'chunked': {
      response.writeHead(status, { ...headers, 'transfer-encoding': 'chunked' });
      const step = Math.max(1, Math.ceil(bytes.length / 7));
      for (let at = 0; at < bytes.length; at += step) response.write(bytes.subarray(at, at + step));
      response.end();
      return;
    }
    default: {
      const whole = () => {
        response.writeHead(status, { ...headers, 'content-length': bytes.length });
        response.end(bytes);
      };
      if (style.transport === 'slow') setTimeout(whole, 250);
      else whole();
    }
  }
}

const plain = new Set(['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding']);

/** Starts the proxy in front of `camera`. */
export async function startForeign(camera: Camera, style: ForeignStyle): Promise<ForeignCamera> {
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await bodyOf(request);
    const xml = body.toString();
    const operation = operationOf(xml);
    if (style.missing?.operations.includes(operation)) return refuse(style.missing.how, response);
    const url = request.url ?? '/';
    const path = style.oneAddress === true ? pathFor(xml, url) : url;
    // The digest is about the path that was asked for.
    const incoming = await forward(camera, request, path, body);
    const bytes = await bodyOf(incoming);
    const headers: Record<string, string[]> = Object.fromEntries(
      Object.entries(incoming.headersDistinct).flatMap(([name, value]) =>
        plain.has(name) || value === undefined ? [] : [[name, value]],
      ),
    );
    if (operation === '') {
      response.writeHead(incoming.statusCode ?? 500, { ...headers, 'content-length': bytes.length });
      response.end(bytes);
      return;
    }
    const answer: Answer = { operation, status: incoming.statusCode ?? 500, headers, body: bytes.toString() };
    deliver(style.rewrite?.(answer) ?? answer, style, response);
  };
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.socket?.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, camera.host, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host: camera.host,
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

// --- ways to write ------------------------------------------------------------------------------------------------

type Rewrite = (answer: Answer) => Answer;

const inBody =
  (change: (body: string) => string): Rewrite =>
  (answer) => ({ ...answer, body: change(answer.body) });

function declared(body: string): ReadonlyMap<string, string> {
  return new Map([...body.matchAll(/xmlns:([\w-]+)="([^"]*)"/g)].map(([, prefix = '', name = '']) => [prefix, name]));
}

/** ns0:, ns1: ... as libraries of Python write; topics and values keep the words they are made of. */
export const numberedPrefixes: Rewrite = inBody((body) => {
  let out = body;
  [...declared(body).keys()].forEach((prefix, i) => {
    out = out
      .replaceAll(`<${prefix}:`, `<ns${i}:`)
      .replaceAll(`</${prefix}:`, `</ns${i}:`)
      .replaceAll(`xmlns:${prefix}=`, `xmlns:ns${i}=`);
  });
  return out;
});

/** No prefix anywhere: each element says its namespace. */
export const withoutPrefixes: Rewrite = inBody((body) => {
  let out = body;
  for (const [prefix, name] of declared(body)) {
    out = out
      .replaceAll(new RegExp(`<${prefix}:([\\w-]+)`, 'g'), `<$1 xmlns="${name}"`)
      .replaceAll(`</${prefix}:`, '</');
  }
  return out;
});

/** As some toolkits answer whatever was asked: SOAP 1.1, text/xml, faults with faultcode. */
export const soap11: Rewrite = (answer) => {
  const body = answer.body
    .replaceAll('http://www.w3.org/2003/05/soap-envelope', 'http://schemas.xmlsoap.org/soap/envelope/')
    .replace(
      /<SOAP-ENV:Fault>.*?<SOAP-ENV:Subcode><SOAP-ENV:Value>(.*?)<\/SOAP-ENV:Value>.*?<SOAP-ENV:Text[^>]*>(.*?)<\/SOAP-ENV:Text>.*?<\/SOAP-ENV:Fault>/s,
      '<SOAP-ENV:Fault><faultcode>$1</faultcode><faultstring>$2</faultstring></SOAP-ENV:Fault>',
    );
  return { ...answer, headers: { ...answer.headers, 'content-type': 'text/xml; charset="UTF-8"' }, body };
};

/** Line breaks and blanks between everything, comments, another declaration, a byte order mark. */
export const loose: Rewrite = inBody((body) => {
  const spread = body
    .replace(
      /^<\?xml[^>]*\?>\s*/,
      "\uFEFF<?xml version='1.0' encoding='utf-8' standalone='no' ?>\r\n<!-- made by hand -->\r\n",
    )
    .replaceAll('><', '>\r\n\t <');
  // Text in blanks, and what is no markup as such.
  return spread.replace(
    /<tt:Uri>([^<]*)<\/tt:Uri>/g,
    (_, uri: string) => `<tt:Uri>\r\n <![CDATA[${uri.replaceAll('&amp;', '&')}]]>\r\n</tt:Uri>`,
  );
});

/** Faults come with 200, or with 500, whatever they are about. */
export const faultsAs =
  (status: number): Rewrite =>
  (answer) =>
    answer.body.includes('Fault>') && answer.status !== 401 ? { ...answer, status } : answer;

export const withoutType: Rewrite = (answer) => {
  const { 'content-type': _, ...headers } = answer.headers;
  return { ...answer, headers };
};

/** Addresses without host, with another host and port, or with another scheme. */
export const addresses = (base: string): Rewrite => inBody((body) => body.replace(/http:\/\/127\.0\.0\.1:\d+/g, base));

/** What is optional is there, and empty. */
export const emptyOptionals: Rewrite = inBody((body) =>
  body
    .replaceAll('</tds:Service>', '<tds:Capabilities/></tds:Service>')
    .replaceAll(/<tt:RateControl[^>]*>.*?<\/tt:RateControl>/g, '<tt:RateControl/>')
    .replaceAll(/<tt:PTZPosition>.*?<\/tt:PTZPosition>/g, '<tt:PTZPosition/>')
    .replaceAll(/<tt:Properties>.*?<\/tt:Properties>/g, '<tt:Properties/>')
    .replaceAll(/<tt:HomeSupported>.*?<\/tt:HomeSupported>/g, '<tt:HomeSupported/>')
    .replaceAll(/<tds:SerialNumber>.*?<\/tds:SerialNumber>/g, '<tds:SerialNumber/>')
    .replaceAll('<tt:Data>', '<tt:Key/><tt:Data>'),
);
