import type { Fragment, StreamInit, StreamTrouble } from './hub.ts';

/** Who receives what a source brings. */
export interface SourceSink {
  /** Without generation: the hub counts. */
  init(init: Omit<StreamInit, 'generation'>): void;
  fragment(fragment: Fragment): void;
}

/** How one run of a source ended. */
export interface SourceEnd {
  readonly reason: StreamTrouble;
  /** For people; '' where nothing was wrong. */
  readonly message: string;
  /** For the log alone: it may name files of this box. */
  readonly detail?: string;
  /** Tried again after this pause, ms; absent: after one that grows with each failure. 0: at once (it is asked for anew on purpose). */
  readonly pause?: number;
}

/** Something that brings a stream again and again: a camera, or what recodes another hub. */
export interface StreamSource {
  /** Brings one generation until it ends or is told to. Never throws: what is wrong is in the answer. */
  run(sink: SourceSink, signal: AbortSignal): Promise<SourceEnd>;
}
