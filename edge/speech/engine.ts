import type { Name } from '#edge/domain/place.ts';

/* What every engine of speech is to the rest. */

export type EngineId = 'sherpa' | 'espeak' | 'espeak-wasm';

export interface EngineVoice {
  /** Of the API; the same on every start. */
  readonly id: string;
  readonly name: Name;
  /** BCP 47. */
  readonly language: string;
}

export interface SpeakJob {
  /** As `spokenText` made it. */
  readonly text: string;
  /** Of `voices`. */
  readonly voice: string;
  /** 1: as people speak to a class; 0.5 to 2. */
  readonly rate: number;
  /** Where the WAV file is to be. */
  readonly file: string;
  /** ms */
  readonly patience: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Engine {
  readonly id: EngineId;
  /** What it is, with its version: another one speaks other samples. */
  readonly version: string;
  readonly voices: readonly EngineVoice[];
  /** Writes the WAV file. Throws SPEECH_FAILED, TIMEOUT, and what the signal says. */
  write(job: SpeakJob): Promise<void>;
}

/** An engine that was looked at, or why it is not used. */
export type Found = { readonly engine: Engine } | { readonly refused: string };
