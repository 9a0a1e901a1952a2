import type { TalkFrame } from './talk-worklet.ts';
import workletUrl from './talk-worklet.ts?worker&url';

/* The microphone as frames of 20 ms. Knows nothing of rooms or servers. */

/**
 * Why nothing can be taken up. `insecure`: a browser gives its microphone to pages of https or localhost alone. `unsupported`: this one cannot.
 * `denied`: the person, or a policy, said no. `no-microphone`. `microphone-busy`: another program has it. `microphone-lost`: it was pulled out.
 */
export type MicrophoneProblem =
  | 'insecure'
  | 'unsupported'
  | 'denied'
  | 'no-microphone'
  | 'microphone-busy'
  | 'microphone-lost';

export class MicrophoneError extends Error {
  readonly problem: MicrophoneProblem;

  constructor(problem: MicrophoneProblem, message = problem as string) {
    super(message);
    this.name = 'MicrophoneError';
    this.problem = problem;
  }
}

export interface Microphone extends Disposable {
  /** Hz. */
  readonly rate: number;
}

/** Hz, as the server takes them. */
const rates: ReadonlySet<number> = new Set([8_000, 16_000, 24_000, 32_000, 44_100, 48_000]);

/** What keeps this page from asking for a microphone at all; null: it may ask. */
export function microphoneProblem(): MicrophoneProblem | null {
  if (!window.isSecureContext) return 'insecure';
  const hasAll = 'mediaDevices' in navigator && typeof AudioWorkletNode === 'function';
  return hasAll ? null : 'unsupported';
}

/**
 * Opens the microphone; the browser asks the person where it has to. To be called from a click or a key: else the context of sound stays
 * asleep. Throws MicrophoneError.
 */
export async function openMicrophone(
  onFrame: (frame: TalkFrame) => void,
  onProblem: (problem: MicrophoneProblem) => void,
): Promise<Microphone> {
  const problem = microphoneProblem();
  if (problem !== null) throw new MicrophoneError(problem);
  const stream = await askForStream();
  const close = () => {
    for (const track of stream.getTracks()) track.stop();
  };
  for (const track of stream.getAudioTracks()) track.onended = () => onProblem('microphone-lost');
  let context: AudioContext | null = null;
  try {
    context = openContext();
    await context.resume();
    await context.audioWorklet.addModule(workletUrl);
    const stop = listen(context, stream, onFrame);
    const { sampleRate: rate } = context;
    const opened = context;
    return {
      rate,
      [Symbol.dispose]() {
        stop();
        close();
        void opened.close();
      },
    };
  } catch (error) {
    close();
    void context?.close();
    throw new MicrophoneError('unsupported', String(error));
  }
}

function listen(context: AudioContext, stream: MediaStream, onFrame: (frame: TalkFrame) => void): () => void {
  const source = context.createMediaStreamSource(stream);
  const frames = new AudioWorkletNode(context, 'talk-frames', { channelCount: 1, channelCountMode: 'explicit' });
  frames.port.onmessage = ({ data }: MessageEvent<TalkFrame>) => onFrame(data);
  // It says nothing into the room; but what leads nowhere is not asked for its sound by every browser.
  source.connect(frames).connect(context.destination);
  return () => {
    frames.port.onmessage = null;
    frames.disconnect();
    source.disconnect();
  };
}

async function askForStream(): Promise<MediaStream> {
  try {
    return await navigator.mediaDevices.getUserMedia({
      // A loudspeaker of the room may be heard by the microphone, and a school yard is not a studio.
      audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      video: false,
    });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : '';
    throw new MicrophoneError(problemsByName[name] ?? 'unsupported', String(error));
  }
}

const problemsByName: Readonly<Record<string, MicrophoneProblem>> = {
  NotAllowedError: 'denied',
  SecurityError: 'denied',
  NotFoundError: 'no-microphone',
  OverconstrainedError: 'no-microphone',
  NotReadableError: 'microphone-busy',
  AbortError: 'microphone-busy',
};

/** At the rate of the device where the server takes it: not every browser joins a stream and a context of different rates. */
function openContext(): AudioContext {
  const context = new AudioContext({ latencyHint: 'interactive' });
  if (rates.has(context.sampleRate)) return context;
  void context.close();
  return new AudioContext({ latencyHint: 'interactive', sampleRate: 48_000 });
}
