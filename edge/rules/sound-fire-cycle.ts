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

/** Names of clips of one round: what a loudspeaker is told in one order is bounded (`longestOrder`). */
const longestRound = 140;

/** What is too short is heard as often as it takes: a siren of 3 s three times, a voice of 4 s three times. */
export function fireCycle({ siren, voices, drillWord }: FireCyclePlan): FireCycle {
  const mistakes: FireCycleMistake[] = [];
  const [fewest, most] = fireCycleLimits.voices;
  if (voices.length < fewest || voices.length > most) mistakes.push({ code: 'voices', count: voices.length });
  const sirens = times(siren.length, fireCycleLimits.siren);
  const parts = voices.map((voice) => {
    const length = voice.length + (drillWord?.length ?? 0);
    const clips = drillWord === null ? [voice.clip] : [drillWord.clip, voice.clip];
    return { clip: voice.clip, clips, length, times: times(length, fireCycleLimits.voice) };
  });
  const roundOf = (isRepeated: boolean) => [
    ...repeated([siren.clip], isRepeated ? sirens : 1),
    ...parts.flatMap((part) => repeated(part.clips, isRepeated ? part.times : 1)),
  ];
  const isRepeated = roundOf(true).join('+').length <= longestRound;
  const [shortest, longest] = fireCycleLimits.siren;
  const sirenLength = siren.length * (isRepeated ? sirens : 1);
  if (sirenLength < shortest) mistakes.push({ code: 'siren-too-short', ...siren });
  if (sirenLength > longest) mistakes.push({ code: 'siren-too-long', ...siren });
  let round = sirenLength;
  for (const part of parts) {
    const length = part.length * (isRepeated ? part.times : 1);
    if (length < fireCycleLimits.voice[0]) mistakes.push({ code: 'voice-too-short', clip: part.clip, length });
    if (length > fireCycleLimits.voice[1]) mistakes.push({ code: 'voice-too-long', clip: part.clip, length });
    round += length;
  }
  return { source: { kind: 'clips', clips: roundOf(isRepeated), loop: true }, round, mistakes };
}

/** How often something of this length is heard to come within the limits; once, where no number of times does. */
function times(length: number, [shortest, longest]: readonly [number, number]): number {
  const wanted = Math.max(1, Math.ceil(shortest / length));
  return length > 0 && wanted * length <= longest ? wanted : 1;
}

function repeated(clips: readonly string[], count: number): string[] {
  return Array.from({ length: count }, () => clips).flat();
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
