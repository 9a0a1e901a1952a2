import type { SoundSource } from '#edge/domain/broadcast.ts';

/*
 * The fire cycle: siren for 8 to 20 s, then the voice for 10 to 30 s, one siren to one or two voices, again and again (GB 50116-2013 4.8.5, 4.8.6).
 * As a programme of clips it is made by whoever decodes them, to the sample, and goes on without core.
 */

export interface FireClip {
  readonly clip: string;
  /** ms. */
  readonly length: number;
}

export interface FireCyclePlan {
  readonly siren: FireClip;
  /** One or two: of two, one says it in the other language, or the same one is said twice. */
  readonly voices: readonly FireClip[];
  /** "This is an exercise", in front of every message; null: it is none. */
  readonly drillWord: FireClip | null;
}

export type FireCycleMistake =
  | {
      readonly code: 'siren-too-short' | 'siren-too-long' | 'voice-too-short' | 'voice-too-long';
      readonly clip: string;
      readonly length: number;
    }
  | { readonly code: 'voices'; readonly count: number };

export interface FireCycle {
  readonly source: SoundSource;
  /** One round, ms. */
  readonly round: number;
  /** What the code of practice does not allow. A fire sounds all the same; a school is told beforehand. */
  readonly mistakes: readonly FireCycleMistake[];
}

/** ms; of one siren, and of one voice with its exercise word. */
export const fireCycleLimits = { siren: [8_000, 20_000], voice: [10_000, 30_000], voices: [1, 2] } as const;

export function fireCycle({ siren, voices, drillWord }: FireCyclePlan): FireCycle {
  const mistakes: FireCycleMistake[] = [];
  const [fewest, most] = fireCycleLimits.voices;
  if (voices.length < fewest || voices.length > most) mistakes.push({ code: 'voices', count: voices.length });
  const [shortest, longest] = fireCycleLimits.siren;
  if (siren.length < shortest) mistakes.push({ code: 'siren-too-short', ...siren });
  if (siren.length > longest) mistakes.push({ code: 'siren-too-long', ...siren });
  const clips = [siren.clip];
  let round = siren.length;
  for (const voice of voices) {
    const length = voice.length + (drillWord?.length ?? 0);
    if (length < fireCycleLimits.voice[0]) mistakes.push({ code: 'voice-too-short', clip: voice.clip, length });
    if (length > fireCycleLimits.voice[1]) mistakes.push({ code: 'voice-too-long', clip: voice.clip, length });
    if (drillWord !== null) clips.push(drillWord.clip);
    clips.push(voice.clip);
    round += length;
  }
  return { source: { kind: 'clips', clips, loop: true }, round, mistakes };
}

/** The exercise word in front of every message that does not have it yet. A live voice has none. */
export function drilled(source: SoundSource, word: string, sirens: readonly string[]): SoundSource {
  if (source.kind === 'live') return source;
  const clips: string[] = [];
  for (const clip of source.clips) {
    if (clip !== word && !sirens.includes(clip) && clips.at(-1) !== word) clips.push(word);
    clips.push(clip);
  }
  // A siren alone would be taken for a fire.
  if (!clips.includes(word)) clips.push(word);
  return { ...source, clips };
}
