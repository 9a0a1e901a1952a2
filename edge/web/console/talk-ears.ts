/* What rooms answer to a live page, for the ears of whoever speaks: played as it comes, kept nowhere. */

/** Hz, as the server sends it. */
const rate = 8_000;
/** s that it is behind, so that a line that stumbles is not heard; what is later than the second is left out. */
const ahead = 0.12;
const latest = 0.6;

export interface TalkEars extends Disposable {
  /** 16-bit little-endian mono. */
  take(content: ArrayBuffer): void;
}

/** From a click or a key, or browsers stay silent. */
export function openEars(): TalkEars {
  const context = new AudioContext();
  let next = 0;
  return {
    take(content) {
      const samples = new Int16Array(content, 0, content.byteLength >> 1);
      if (samples.length === 0) return;
      const now = context.currentTime;
      if (next < now) next = now + ahead;
      if (next > now + latest) return;
      const buffer = context.createBuffer(1, samples.length, rate);
      buffer.copyToChannel(
        Float32Array.from(samples, (sample) => sample / 32_768),
        0,
      );
      const source = context.createBufferSource();
      source.buffer = buffer;
      source.connect(context.destination);
      source.start(next);
      next += buffer.duration;
    },
    [Symbol.dispose]() {
      void context.close();
    },
  };
}
