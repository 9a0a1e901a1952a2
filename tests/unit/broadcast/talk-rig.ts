import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { openStudio } from '#edge/drivers/sound/studio.ts';
import type { TalkWord } from '#edge/drivers/sound/talk-session.ts';
import { startTalkLine, type TalkLine } from '#edge/processes/broadcast-talk.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { writeClips } from '#edge/simulators/clips/generate.ts';

/* The broadcast process's end of a live page: the studio, the socket, the recordings; whoever asks stands where web stands. */

export function sine(hertz: number, rate: number, ms: number, loud = 12_000, from = 0): Buffer {
  const pcm = Buffer.alloc(Math.round((rate * ms) / 1_000) * 2);
  for (let i = 0; i * 2 < pcm.length; i++) {
    pcm.writeInt16LE(Math.round(loud * Math.sin((2 * Math.PI * hertz * (i + from)) / rate)), i * 2);
  }
  return pcm;
}

export interface TalkRig extends AsyncDisposable {
  readonly data: string;
  readonly studio: ReturnType<typeof openStudio>;
  readonly line: TalkLine;
  talk(options?: { item?: string; class?: string; chime?: string; session?: string }): Promise<Talker>;
}

export async function talkRig(): Promise<TalkRig> {
  await using stack = new AsyncDisposableStack();
  const data = await mkdtemp(join(tmpdir(), 'talk-'));
  stack.defer(() => rm(data, { recursive: true, force: true }));
  const folder = join(data, 'clips');
  await writeClips(folder);
  const clips = {
    chime: { file: 'class-bell.wav', loop: false },
    endless: { file: 'test-tones.wav', loop: true },
    broken: { file: 'not-there.wav', loop: false },
  };
  const studio = stack.use(openStudio({ clips, folder, clock: systemClock }));
  const line = stack.use(startTalkLine({ data, studio, clock: systemClock, log: silentLog }));
  await line.opened;
  const owned = stack.move();
  return {
    data,
    studio,
    line,
    talk: (options) => Talker.connect(data, options),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Web's end of the socket. */
export class Talker {
  readonly session: string;
  readonly item: string;
  readonly socket: WebSocket;
  readonly said: TalkWord[] = [];
  code: number | null = null;

  private constructor(socket: WebSocket, session: string, item: string) {
    this.socket = socket;
    this.session = session;
    this.item = item;
    socket.on('message', (content: Buffer) => this.said.push(JSON.parse(content.toString())));
    socket.on('close', (code) => {
      this.code = code;
    });
    socket.on('error', () => {});
  }

  static async connect(
    data: string,
    options: { item?: string; class?: string; chime?: string; session?: string; key?: string } = {},
  ): Promise<Talker> {
    const key = options.key ?? (await readFile(join(data, 'sound.key'), 'utf8')).trim();
    const session = options.session ?? `talk-${Math.round(performance.now() * 1_000)}`;
    const item = options.item ?? newHappeningId(systemClock);
    const query = new URLSearchParams({ item, class: options.class ?? 'page' });
    if (options.chime !== undefined) query.set('chime', options.chime);
    const url = `ws+unix:${join(data, 'sound.sock')}:/talk/${session}?${query}`;
    const socket = new WebSocket(url, { headers: { 'x-media-key': key }, perMessageDeflate: false });
    const talker = new Talker(socket, session, item);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', () => resolve());
      socket.once('error', reject);
    });
    return talker;
  }

  say(word: object): void {
    this.socket.send(JSON.stringify(word));
  }

  kinds(): readonly string[] {
    return this.said.map(({ kind }) => kind);
  }

  get over(): string | null {
    const last = this.said.find((word) => word.kind === 'over');
    return last?.kind === 'over' ? last.reason : null;
  }

  get figures() {
    return this.said.findLast((word) => word.kind === 'figures');
  }

  /** Sends in real time until it is told to stop. */
  speak(next: (n: number) => Buffer, every = 20): () => void {
    const begun = performance.now();
    let sent = 0;
    const timer = setInterval(() => {
      while (sent * every < performance.now() - begun) this.socket.send(next(sent++));
    }, every / 2);
    this.socket.once('close', () => clearInterval(timer));
    return () => clearInterval(timer);
  }
}
