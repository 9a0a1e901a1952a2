import { Agent, type ClientRequest, get, type IncomingMessage } from 'node:http';
import { z } from 'zod';
import { serveOrders } from './rig.ts';

/* Many open consoles without their screens: each asks and listens as edge/web/console/live.ts does. */

const orderSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('open'), url: z.string(), token: z.string(), consoles: z.int() }),
  z.strictObject({ kind: z.literal('report') }),
  z.strictObject({ kind: z.literal('close') }),
]);

const atStart = ['points', 'outputs', 'alarms?open=true', 'events?newest=true&limit=100', 'devices', 'campus', 'now'];
const counts = { bytes: 0, messages: 0, requests: 0 };
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
let streams: { readonly request: ClientRequest; readonly stop: () => void }[] = [];

interface Target {
  readonly url: string;
  readonly token: string;
}

function send(
  { url, token }: Target,
  path: string,
  withAgent: Agent | false,
): Promise<[ClientRequest, IncomingMessage]> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const request = get(`${url}/api/v1/${path}`, { headers, agent: withAgent }, (response) => {
      if (response.statusCode === 200) resolve([request, response]);
      else reject(new Error(`${path}: ${response.statusCode}`));
    });
    request.on('error', reject);
  });
}

async function ask(target: Target, path: string): Promise<void> {
  counts.requests++;
  const [, response] = await send(target, path, agent);
  for await (const chunk of response) void chunk;
}

async function openConsole(target: Target): Promise<void> {
  const [request, response] = await send(target, 'stream', false);
  let asking: NodeJS.Timeout | undefined;
  const later = () => {
    asking ??= setTimeout(() => {
      asking = undefined;
      ask(target, 'devices').catch(() => {});
    }, 1_000);
  };
  response.on('error', () => {});
  response.on('data', (chunk: Buffer) => {
    counts.bytes += chunk.length;
    for (const [, kind] of chunk.toString('latin1').matchAll(/^event: (\w+)$/gm)) {
      counts.messages++;
      if (kind === 'health') later();
    }
  });
  streams.push({
    request,
    stop: () => {
      clearTimeout(asking);
      request.destroy();
    },
  });
  for (const path of atStart) await ask(target, path);
}

serveOrders(async (message) => {
  const order = orderSchema.parse(message);
  if (order.kind === 'open') {
    for (let i = 0; i < order.consoles; i++) await openConsole(order);
  } else if (order.kind === 'close') {
    for (const { stop } of streams) stop();
    streams = [];
  }
  const report = { ...counts, open: streams.length };
  Object.assign(counts, { bytes: 0, messages: 0, requests: 0 });
  return report;
});
