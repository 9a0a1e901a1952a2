import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { codeOf } from '#edge/runtime/errors.ts';
import { ownHeaders } from './policies.ts';

/* Answers to what is no request of ours: no route has seen it, so no hook has set any header. */

type OnMalformed = (from: string, why: string) => void;

const statuses: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** Bytes that are not HTTP, headers without end, requests that never come to one. */
export function createClientErrorHandler(onMalformed: OnMalformed) {
  return (error: Error, socket: Socket): void => {
    const code = codeOf(error);
    if (code === 'ECONNRESET' || socket.destroyed) return;
    const isLate = code === 'ERR_HTTP_REQUEST_TIMEOUT';
    // A browser that opened a connection in advance and never used it is no attacker.
    if (!isLate) onMalformed(socket.remoteAddress ?? '', code);
    const status = statuses[code] ?? '400 Bad Request';
    const message = isLate ? 'the request did not come to its end in time' : `this is no request (${code})`;
    const body = JSON.stringify({ error: 'malformed-request', message });
    const headers = Object.entries({
      ...ownHeaders,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      connection: 'close',
    });
    if (socket.writable) {
      socket.write(`HTTP/1.1 ${status}\r\n${headers.map((pair) => pair.join(': ')).join('\r\n')}\r\n\r\n${body}`);
    }
    socket.destroySoon();
  };
}

/** A path that cannot be decoded (`/%zz`), or a part of it that is longer than any of ours. */
export function createBadPathHandler(onMalformed: OnMalformed) {
  return (error: Error, request: FastifyRequest, reply: FastifyReply): void => {
    onMalformed(request.ip, codeOf(error));
    void reply
      .headers(ownHeaders)
      .code(400)
      .type('application/json')
      .send(JSON.stringify({ error: 'bad-path', message: 'this path cannot be understood' }));
  };
}
