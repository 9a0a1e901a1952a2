/*
 * The microphone's samples as frames of 20 ms, on the thread of sound. A file of its own because the page's policy runs no script from
 * anywhere else.
 */

declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: typeof AudioWorkletProcessor): void;
/** Hz, of the context. */
declare const sampleRate: number;

/** What it tells: 16-bit samples, and how loud they were (0 to 1). */
export interface TalkFrame {
  readonly pcm: ArrayBuffer;
  readonly peak: number;
  readonly rms: number;
}

const frameSamples = Math.round(sampleRate / 50);

class TalkFrames extends AudioWorkletProcessor {
  #frame = new Int16Array(frameSamples);
  #filled = 0;
  #peak = 0;
  #squares = 0;

  process(inputs: readonly (readonly Float32Array[])[]): boolean {
    for (const sample of inputs[0]?.[0] ?? []) {
      const bounded = Math.max(-1, Math.min(1, sample));
      this.#frame[this.#filled] = Math.round(bounded * 32_767);
      this.#peak = Math.max(this.#peak, Math.abs(bounded));
      this.#squares += bounded * bounded;
      this.#filled += 1;
      if (this.#filled === frameSamples) this.#send();
    }
    return true;
  }

  #send(): void {
    const { buffer: pcm } = this.#frame;
    const told: TalkFrame = { pcm, peak: this.#peak, rms: Math.sqrt(this.#squares / frameSamples) };
    this.port.postMessage(told, [pcm]);
    this.#frame = new Int16Array(frameSamples);
    this.#filled = 0;
    this.#peak = 0;
    this.#squares = 0;
  }
}

registerProcessor('talk-frames', TalkFrames);
