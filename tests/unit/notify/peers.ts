import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import {
  createServer,
  type Server as HttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Notice } from '#edge/domain/notice.ts';
import type { Message } from '#edge/notify/channel.ts';
import { wordsOf } from '#edge/notify/words.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { type NotifyChannel, type NotifySite, notifySchema } from '#edge/runtime/site-notify.ts';

/* Far ends for notices: real servers on loopback, and folders with secret files. */

export const sender = { campus: { zh: '青禾小学', en: 'Qinghe' }, timeZone: 'Asia/Shanghai', console: null };

export function secretFolder(files: Readonly<Record<string, string>> = {}): Disposable & {
  readonly path: string;
  write(name: string, text: string, mode?: number): void;
} {
  const path = mkdtempSync(join(tmpdir(), 'notify-'));
  const write = (name: string, text: string, mode = 0o600) => writeFileSync(join(path, name), text, { mode });
  for (const [name, text] of Object.entries(files)) write(name, text);
  return { path, write, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export function noticeOf(change: Partial<Notice> = {}): Notice {
  const now = systemClock.now();
  return {
    id: newHappeningId(systemClock),
    about: 'alarm:01939d5e-0000-7000-8000-000000000001',
    class: 'high',
    title: { zh: '三号楼水浸', en: 'Leak in building 3' },
    text: { zh: '关闭总阀，通知物业', en: 'Close the main valve' },
    channel: 'one',
    recipient: null,
    step: 0,
    created: now,
    notBefore: 0,
    expires: now + 3_600_000,
    state: 'queued',
    attempts: 0,
    at: now,
    detail: '',
    ...change,
  };
}

export function messageOf(notice: Notice = noticeOf()): Message {
  return { id: notice.id, class: notice.class, words: wordsOf(notice, 'zh', sender) };
}

/** One channel as the site file's schema makes it. */
export function channelOf(given: object): NotifyChannel {
  const [channel] = siteOf([given]).channels;
  if (channel === undefined) throw new Error('no channel');
  return channel;
}

export function siteOf(channels: readonly object[], rest: object = {}): NotifySite {
  return notifySchema.parse({
    channels: channels.map((given) => ({ name: { zh: '渠道', en: 'Channel' }, ...given })),
    ...rest,
  });
}

export interface Received {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Gateway extends AsyncDisposable {
  readonly url: string;
  readonly received: Received[];
}

/** Takes whole requests; what it answers is up to the test. */
export async function startGateway(answer: (received: Received, response: ServerResponse) => void): Promise<Gateway> {
  const received: Received[] = [];
  const listener: RequestListener = (request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const one = {
        method: request.method ?? '',
        url: new URL(request.url ?? '/', 'http://x'),
        headers: request.headers,
        body,
      };
      received.push(one);
      answer(one, response);
    });
  };
  const { port, [Symbol.asyncDispose]: dispose } = await listen(createServer(listener));
  return { url: `http://127.0.0.1:${port}`, received, [Symbol.asyncDispose]: dispose };
}

export function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Something on a port that speaks as the test says. */
export function startRaw(onSocket: (socket: Socket) => void): Promise<AsyncDisposable & { readonly port: number }> {
  return listen(createTcpServer(onSocket));
}

/**
 * A server on a free port of loopback; its connections end with it. Not for one that puts TLS on its sockets by itself: destroying
 * those beneath it crashes Node 24 (signal 11).
 */
export async function listen(server: TcpServer | HttpServer): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>();
  const isHttp = 'closeAllConnections' in server;
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => {});
    if (isHttp) return;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: portOf(server),
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      if (isHttp) server.closeAllConnections();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

export function portOf(server: TcpServer): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

export const never = new AbortController().signal;
