import type { Studio } from '#edge/drivers/sound/studio.ts';
import { Recordings } from '#edge/drivers/sound/talk-recordings.ts';
import { type RoomAnswers, serveTalk, talkWishOf } from '#edge/drivers/sound/talk-session.ts';
import { openMediaSocket } from '#edge/media/socket.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { Backoff, delay } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import { paths } from './context.ts';

export interface TalkLineOptions {
  /** The data folder. */
  readonly data: string;
  readonly studio: Pick<Studio, 'live' | 'library' | 'pacer'>;
  /** What rooms say back; absent: nothing. */
  readonly answers?: RoomAnswers;
  readonly clock: Clock;
  readonly log: Log;
}

export interface TalkLine extends AsyncDisposable {
  readonly recordings: Recordings;
  /** It listens, for the first time. */
  readonly opened: Promise<void>;
}

/**
 * Live pages: voices come in over `sound.sock`, go to the studio, and are recorded. It opens in the background: loudspeakers wait
 * neither for recordings to be looked through nor for a disk that takes no key.
 */
export function startTalkLine(options: TalkLineOptions): TalkLine {
  const { data, clock, log } = options;
  const recordings = new Recordings({ folder: paths.recordings(data), clock, log });
  const ending = new AbortController();
  const opened = Promise.withResolvers<void>();
  const line = keepOpening(options, recordings, ending.signal).then((socket) => {
    opened.resolve();
    return socket;
  });
  return {
    recordings,
    opened: opened.promise,
    async [Symbol.asyncDispose]() {
      ending.abort();
      await (await line)?.[Symbol.asyncDispose]();
      await recordings[Symbol.asyncDispose]();
    },
  };
}

/** null: it was ended before it could listen. */
async function keepOpening(
  { data, studio, answers, clock, log }: TalkLineOptions,
  recordings: Recordings,
  signal: AbortSignal,
): Promise<AsyncDisposable | null> {
  const backoff = new Backoff({ first: 1_000, cap: 60_000 });
  await recordings.load();
  for (let hasFailed = false; !signal.aborted; ) {
    try {
      return await openMediaSocket({
        socketFile: paths.soundSocket(data),
        keyFile: paths.soundKey(data),
        handlers: [],
        socketHandlers: [
          (path, query, socket) => {
            const wish = talkWishOf(path, query);
            if (wish !== null) serveTalk(socket, wish, { studio, recordings, answers, clock, log });
            return wish !== null;
          },
        ],
        log,
      });
    } catch (error) {
      if (!hasFailed) log.error({ problem: messageOf(error) }, 'nobody can speak live: the socket cannot be opened');
      hasFailed = true;
      await delay(backoff.next(), signal);
    }
  }
  return null;
}
