import { readFile } from 'node:fs/promises';
import { startUplink } from '#bridge/uplink/uplink.ts';
import { type ChildContext, type Running, runChild } from '#edge/runtime/child.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { connectRpc } from '#edge/runtime/rpc.ts';
import { openReader } from '#edge/store/reader.ts';
import { type EdgeInit, paths } from './context.ts';

/** The bridge: the outbox to the city. */
export async function startUplinkProcess(init: EdgeInit, context: ChildContext): Promise<Running> {
  const { site, data } = init;
  if (site.city === undefined) throw new CodedError('UPLINK_NO_CITY', 'the site file names no city');
  const ending = new AbortController();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => ending.abort());
  const rpc = stack.use(connectRpc(paths.socket(data)));
  const source = stack.use(openReader(data, context.clock));
  stack.use(
    await startUplink({
      source,
      acknowledged: async (epoch, lane, watermark) =>
        void (await rpc.call('outbox.acknowledged', { epoch, lane, watermark })),
      city: site.city,
      campus: site.campus.id,
      password: await readCityPassword(data),
      ...context,
      signal: ending.signal,
    }),
  );
  const owned = stack.move();
  return { info: {}, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function readCityPassword(data: string): Promise<string> {
  const file = paths.cityPassword(data);
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new CodedError('UPLINK_NO_PASSWORD', `put the password that the city gave into ${file}: ${messageOf(error)}`);
  }
}

if (import.meta.main) runChild('uplink', startUplinkProcess);
