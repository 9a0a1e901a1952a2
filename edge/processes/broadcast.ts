import type { BusClient } from '#edge/bus/client.ts';
import { broadcastDriver } from '#edge/drivers/broadcast/driver.ts';
import { httpPaDriver } from '#edge/drivers/http-pa/driver.ts';
import { lineDriver } from '#edge/drivers/line/driver.ts';
import { sipDriver } from '#edge/drivers/sip/driver.ts';
import { Talkbacks } from '#edge/drivers/sip/talkback.ts';
import { snapcastDriver } from '#edge/drivers/snapcast/driver.ts';
import { openStudio } from '#edge/drivers/sound/studio.ts';
import { putSoundFirst } from '#edge/drivers/sound/urgency.ts';
import { type ChildContext, type Running, runChild } from '#edge/runtime/child.ts';
import { clipsInOrder, startClipLine } from './broadcast-clips.ts';
import { startTalkLine } from './broadcast-talk.ts';
import { type EdgeInit, paths } from './context.ts';
import { startDriverProcess } from './link.ts';

/** A clip is told before its first order; at a start the order may be read first, ms. */
const arrival = 2_000;

/** Loudspeakers: all drivers share one studio, so that whatever they speak is decoded once and in step. */
export async function startBroadcast(init: EdgeInit, context: ChildContext): Promise<Running> {
  const { clock, log } = context;
  await using stack = new AsyncDisposableStack();
  putSoundFirst();
  const { folder } = init.site;
  const clips = await clipsInOrder(init.site);
  const onProblem = (clip: string, problem: string) => log.error({ clip, problem }, 'a clip cannot be played');
  const studio = stack.use(openStudio({ clips, folder, cache: paths.sound(init.data), clock, onProblem, arrival }));
  const answers = new Talkbacks();
  stack.use(startTalkLine({ data: init.data, studio, answers, clock, log }));
  const drivers = [
    broadcastDriver({ clips, folder, clock, log, studio }),
    sipDriver({ studio, clock, onTalk: ({ id }, talk, session) => void answers.take(id, talk, session) }),
    httpPaDriver({ clock, clips, folder }),
    snapcastDriver({ studio, clock }),
    lineDriver({ studio, clock }),
  ];
  const start = (bus: BusClient) =>
    startClipLine({ bus, library: studio.library, folder: paths.clips(init.data), log });
  const running = stack.use(await startDriverProcess('broadcast', init, context, drivers, { start }));
  const owned = stack.move();
  return { info: running.info, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

if (import.meta.main) runChild('broadcast', startBroadcast);
