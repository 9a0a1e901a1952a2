import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { vi } from 'vitest';
import { createAccess } from '#edge/bus/access.ts';
import { startBroker } from '#edge/bus/broker.ts';
import { type AskMessage, decodeWish, type RequestMessage } from '#edge/bus/codec.ts';
import { grantsFor } from '#edge/bus/grants.ts';
import { answerTopic, readingTopic, requestTopic } from '#edge/bus/topics.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import { splitPointRef } from '#edge/domain/ids.ts';
import type { Quality, Reading, Value } from '#edge/domain/reading.ts';
import type { BudgetLimits } from '#edge/flows-host/budget.ts';
import type { CampusWebAddress } from '#edge/flows-host/campus-web.ts';
import type { Deployment } from '#edge/flows-host/storage.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';

export const secret = 'a-secret-of-this-start-only';
const password = 'flows-token-of-this-start';

/** A request as it came to the broker, with when (monotonic ms). */
export type Asked = RequestMessage & { readonly at: number };

/** What the flows process reports, raises and tells. */
export type Said = AskMessage;

export interface Child extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly port: number;
  readonly problem: string | null;
  readonly deployments: readonly Deployment[];
  /** ms since the last heartbeat of its main loop. */
  silence(): number;
}

/** A real broker with what core would do with a request, and room for Node-RED processes. */
export async function flowsRoom() {
  const stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'flows-system-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const asked: Asked[] = [];
  const said: Said[] = [];
  const broker = stack.use(
    await startBroker({
      hosts: ['127.0.0.1'],
      port: 0,
      websocketPort: null,
      access: createAccess({
        dataFolder: join(folder, 'data'),
        internal: new Map([['flows', password]]),
        grants: grantsFor({ clients: [] }, {}),
        clock: systemClock,
        log: silentLog,
      }),
      clock: systemClock,
      log: silentLog,
      onPublish: async ({ topic, payload }) => {
        if (topic !== requestTopic('flows')) return;
        const decoded = decodeWish(payload);
        if (!decoded.ok) throw new Error(decoded.message);
        const wish = decoded.value;
        if (wish.kind === 'ask') said.push(wish.ask);
        else asked.push({ ...wish.request, at: systemClock.monotonic() });
        const { id } = wish.kind === 'ask' ? wish.ask : wish.request;
        const answer = { id, accepted: true, outcome: 'holding', message: wish.kind };
        await broker.bus.publish(answerTopic('flows'), answer, { qos: 1 });
      },
    }),
  );

  return {
    folder,
    asked,
    said,
    bus: broker.bus,
    writeFlow: async (path: string, flow: unknown) => {
      const file = join(folder, 'flows', path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, JSON.stringify(flow));
    },
    /** A reading as core publishes it. */
    say: async (ref: string, value: Value, quality: Quality = 'good') => {
      const { device, point } = splitPointRef(ref) ?? {};
      if (device === undefined || point === undefined) throw new Error(`${ref} is not a point`);
      const now = systemClock.now();
      const reading: Reading = {
        ref: ref as PointRef,
        device,
        point,
        value,
        unit: '',
        quality,
        ...(quality === 'bad' ? { reason: 'no-communication' } : {}),
        sourceTime: now,
        receivedTime: now,
      };
      await broker.bus.publish(readingTopic(reading.ref), reading, { retain: true });
    },
    start: (
      more: { safeMode?: boolean; log?: string; budget?: Partial<BudgetLimits>; web?: CampusWebAddress } = {},
    ): Promise<Child> =>
      startChild({
        brokerPort: broker.ports.mqtt,
        password,
        flowsFolder: join(folder, 'flows'),
        stateFolder: join(folder, 'state'),
        secret,
        ...more,
      }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function startChild(options: object): Promise<Child> {
  const file = join(import.meta.dirname, 'flows-child.ts');
  const child = fork(file, [JSON.stringify(options)], { execArgv: ['--max-old-space-size=256'] });
  let port = 0;
  let problem: string | null = null;
  let ready = false;
  let failure: string | undefined;
  let lastBeat = systemClock.monotonic();
  const deployments: Deployment[] = [];
  child.on(
    'message',
    (message: { kind: string; port: number; problem: string | null; deployment: Deployment; message: string }) => {
      if (message.kind === 'beat') lastBeat = systemClock.monotonic();
      if (message.kind === 'deploy') deployments.push(message.deployment);
      if (message.kind === 'failed') failure = message.message;
      if (message.kind === 'ready') [port, problem, ready] = [message.port, message.problem, true];
    },
  );
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit', { signal: AbortSignal.timeout(10_000) });
    child.kill('SIGKILL');
    await exited;
  };
  try {
    await vi.waitFor(
      () => {
        if (!ready && failure === undefined) throw new Error(`Node-RED is not ready; exit code ${child.exitCode}`);
      },
      { timeout: 25_000, interval: 20 },
    );
    if (failure !== undefined) throw new Error(failure);
  } catch (error) {
    await end();
    throw error;
  }
  return {
    process: child,
    port,
    problem,
    deployments,
    silence: () => systemClock.monotonic() - lastBeat,
    [Symbol.asyncDispose]: end,
  };
}
