/** One request of a server; `{clip}`, `{zone}`, `{level}`, `{item}`, `{rank}` (0 strongest to 9), `{repeat}` are filled in. */
export interface PaCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: string | undefined;
  /** What an answer that means yes has in it. */
  readonly says?: string | undefined;
  /** It may be said again when no answer came. */
  readonly repeatable: boolean;
}

type Scalar = string | number | boolean;

export interface PaCalls {
  readonly play: PaCall;
  /** `play` has `{repeat}`: -1 for ever, 0 once. */
  readonly repeats?: boolean | undefined;
  readonly stop?: PaCall | undefined;
  readonly probe: PaCall;
  readonly status?: { readonly playing: string; readonly is: Scalar } | undefined;
  readonly success?: { readonly pointer: string; readonly is: Scalar } | undefined;
}

const ask = (path: string, repeatable: boolean): PaCall => ({ method: 'GET', path, repeatable });

/** From makers' documents only: neither was tried on a device. */
export const presets: Readonly<Record<'axis' | 'bogen', PaCalls>> = {
  // VAPIX Media clip API. `repeat` (-1: for ever) and `volume` (percent) are known to models whose Properties.AudioClip.PlayOptions
  // name them. Said twice, a clip begins twice. It documents no answer that says what plays.
  axis: {
    repeats: true,
    play: {
      ...ask('/axis-cgi/mediaclip.cgi?action=play&clip={clip}&repeat={repeat}&volume={level}', false),
      says: 'playing=',
    },
    stop: ask('/axis-cgi/mediaclip.cgi?action=stop', true),
    probe: ask('/axis-cgi/param.cgi?action=list&group=Properties.AudioClip', true),
  },
  // Nyquist E7000, Routines API: /routine/api/<code>/0/0/<p1>/<p2>, unused ones are 0. What a routine does, and its end, is its own.
  bogen: { play: ask('/routine/api/{clip}/0/0/{zone}/0', false), probe: ask('/', true) },
};
