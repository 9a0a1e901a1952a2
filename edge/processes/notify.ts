import { randomUUID } from 'node:crypto';
import { healthTopic, noticeTopic } from '#edge/bus/topics.ts';
import type { DeviceHealth, ProcessHealth } from '#edge/domain/health.ts';
import { NoticeSender, type SenderTuning } from '#edge/notify/sender.ts';
import { type ChildContext, type Running, runChild } from '#edge/runtime/child.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { connectRpc } from '#edge/runtime/rpc.ts';
import { openReader } from '#edge/store/reader.ts';
import { type NotifyInit, paths } from './context.ts';
import { joinBus } from './link.ts';

/** Core commits within a second, or it is away, ms. */
const callTimeout = 5_000;

/**
 * Tells people outside the console. It talks to strangers on the internet, so it has no part in anything else: it reads what is
 * queued, hears what is public, may call two methods of core, and goes on with what it knows while core is away.
 */
export async function startNotify(init: NotifyInit, context: ChildContext, tuning?: SenderTuning): Promise<Running> {
  const { site, data } = init;
  const { clock, log } = context;
  if (site.notify === undefined) throw new CodedError('NOTIFY_NO_CHANNEL', 'the site file says nothing of `notify`');
  const instance = randomUUID();
  const ending = new AbortController();
  await using stack = new AsyncDisposableStack();
  const settle = stack.use(connectRpc(paths.socket(data), 'notice.settle'));
  const channel = stack.use(connectRpc(paths.socket(data), 'notice.channel'));
  const source = stack.use(openReader(data, clock));
  let publish: (health: ProcessHealth) => void = () => {};
  let channels: readonly DeviceHealth[] = [];
  const health = (): ProcessHealth => ({
    process: 'notify',
    state: 'ready',
    time: clock.now(),
    instance,
    devices: channels,
  });
  const sender = stack.use(
    new NoticeSender({
      notify: site.notify,
      campus: site.campus,
      folder: site.folder,
      source,
      settle: (settlement) => settle.call('notice.settle', settlement, callTimeout),
      tellChannel: (id, problem) => channel.call('notice.channel', { id, problem }, callTimeout),
      onHealth: (now) => {
        channels = now;
        publish(health());
      },
      clock,
      log,
      ...(tuning === undefined ? {} : { tuning }),
    }),
  );
  await sender.start();
  // Not waited for: what is queued is sent while core is away, too.
  const joining = joinBus('notify', init, context, instance, ending.signal).then(async (bus) => {
    publish = (said) => void bus.publish(healthTopic('notify'), said, { retain: true }).catch(() => {}); // said again in half a minute
    bus.onConnect(() => {
      publish(health());
      sender.hint();
    });
    await bus.subscribe(noticeTopic, () => sender.hint());
    return bus;
  });
  // A refusal crashes the process, as it does the others; that we end is none.
  const joined = joining.catch((error: unknown) => {
    if (!ending.signal.aborted) throw error;
    return null;
  });
  stack.defer(async () => {
    ending.abort();
    await (await joined)?.[Symbol.asyncDispose]();
  });
  const owned = stack.move();
  return { info: { channels: site.notify.channels.length }, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

if (import.meta.main) runChild('notify', startNotify);
