/** How a speaker behaves. Everything can be changed while it runs. */
export interface SipBehaviour {
  /** `auto` answers by itself; a number is a refusal with that status; `ring` only rings; `silent` says nothing at all. */
  readonly answer: 'auto' | 'ring' | 'silent' | number;
  /** Until the answer, ms. */
  readonly delay: number;
  /** Answers only if the call asks for it (Alert-Info or Call-Info), else it rings. */
  readonly needsAutoAnswer: boolean;
  readonly login: { readonly username: string; readonly password: string; readonly realm: string } | null;
  readonly algorithm: 'MD5' | 'MD5-sess' | 'SHA-256';
  /** A nonce is good for so many requests, then it is stale. */
  readonly nonceUses: number;
  /** Its codecs, best first, by payload type: 8 PCMA, 0 PCMU, 9 G.722. */
  readonly codecs: readonly number[];
  /** What it sends back: nothing, what it hears, or a tone of its own (Hz). */
  readonly talkback: 'none' | 'echo' | number;
  /** A receiver report every so many ms; null: none. */
  readonly reports: number | null;
  /** So many copies of its first 200 are sent whatever is acknowledged, and so many ACKs are not seen. */
  readonly lostAcks: number;
  /** A second telephone answers the same call. */
  readonly forks: boolean;
  /** So many first INVITEs are lost on the way. */
  readonly lostInvites: number;
  /** Says only that it is on its way before it answers. */
  readonly trying: boolean;
  readonly recordRoute: string | null;
  /** Where a 3xx sends the caller. */
  readonly redirect: string | null;
}

export const usual: SipBehaviour = {
  answer: 'auto',
  delay: 0,
  needsAutoAnswer: false,
  login: null,
  algorithm: 'MD5',
  nonceUses: 1_000,
  codecs: [8, 0],
  talkback: 'none',
  reports: null,
  lostAcks: 0,
  forks: false,
  lostInvites: 0,
  trying: false,
  recordRoute: null,
  redirect: null,
};
