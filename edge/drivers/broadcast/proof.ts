import type { Proof } from '#edge/domain/broadcast.ts';

/** The points `proof` and `evidence`. */
export interface ProofPoints {
  readonly proof: Proof;
  /** For people, at most 255 characters. */
  readonly evidence: string;
}

const nothing: ProofPoints = { proof: 'none', evidence: '' };

/** What is known of the sound that plays, or played last, having been heard: it stays when the sound is over. */
export class ProofKeeper {
  #points = nothing;

  begin(): void {
    this.#points = nothing;
  }

  /** undefined: nothing new. */
  take(points: ProofPoints | undefined): void {
    if (points !== undefined) this.#points = { ...points, evidence: points.evidence.slice(0, 255) };
  }

  points(): ProofPoints {
    return this.#points;
  }
}
