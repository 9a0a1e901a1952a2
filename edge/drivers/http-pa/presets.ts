/** One request of a server; its words are filled in: `config.ts` lists them. */
export interface PaCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** A path; with `tcp:` the whole line. */
  readonly path: string;
  readonly body?: string | undefined;
  /** What an answer that means yes has in it. */
  readonly says?: string | undefined;
  /** It may be said again when no answer came: it does no more then, or knows the same `{job}` again. */
  readonly repeatable: boolean;
}

export type Scalar = string | number | boolean;

interface Said {
  readonly pointer: string;
  readonly is: Scalar;
}

export interface PaCalls {
  readonly play: PaCall;
  /** `play` has `{repeat}`: -1 for ever, 0 once. */
  readonly repeats?: boolean | undefined;
  readonly stop?: PaCall | undefined;
  /** Said before `play` when the level is another than the last; {level}. */
  readonly volume?: PaCall | undefined;
  readonly probe: PaCall;
  readonly status?:
    | {
        readonly playing: string;
        readonly is: Scalar;
        /** Where it says whose sound it plays: the `{job}` that `play` had. */
        readonly job?: string | undefined;
        /** What says that nobody hears it: muted, busy, offline. */
        readonly unable?: readonly (Said & { readonly words: string })[] | undefined;
      }
    | undefined;
  readonly success?: Said | undefined;
  /** Its own test of its loudspeaker: begun once a day, its result read afterwards. */
  readonly test?: SpeakerTestCalls | undefined;
  readonly upload?: UploadCalls | undefined;
}

export interface SpeakerTestCalls {
  readonly start: PaCall;
  readonly result: PaCall;
  /** What the result has in it when it is over. */
  readonly passed: string;
  readonly failed: string;
  /** When it sounds, by the clock of this machine: `12:40`. */
  readonly daily: string;
}

export interface UploadCalls {
  readonly list: PaCall;
  /** Where the list of clips is in the answer, and what one says of itself; '' is the whole. */
  readonly at: string;
  readonly name: string;
  readonly size?: string | undefined;
  /** SHA-256, hexadecimal. */
  readonly digest?: string | undefined;
  /** `{clip}` is its name; the body is the file. */
  readonly put: PaCall;
  /** Kilobytes in a second. */
  readonly rate: number;
}

export const presetNames = ['axis', 'bogen', 'token', 'tcp-play'] as const;
export type PresetName = (typeof presetNames)[number];

const ask = (path: string, repeatable: boolean): PaCall => ({ method: 'GET', path, repeatable });

const tell = (method: PaCall['method'], path: string, body: string): PaCall => ({
  method,
  path,
  body,
  repeatable: true,
});
const line = (path: string): PaCall => ({ method: 'GET', path, repeatable: true });

/**
 * `axis` and `bogen` are from makers' documents, `token` and `tcp-play` have the usual shape and no maker's words: where a maker's differ the
 * site gives `calls`. None was tried on a device.
 */
export const presets: Readonly<Record<PresetName, PaCalls>> = {
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
  // An envelope, terminals and tasks, a token by `login: {kind: token}`. A task of an id that it knows is not begun again.
  token: {
    repeats: true,
    play: tell(
      'POST',
      '/api/tasks',
      '{"id":"{job}","terminal":"{zone}","media":"{clip}","priority":{rank},"repeat":{repeat}}',
    ),
    stop: tell('POST', '/api/tasks/stop', '{"terminal":"{zone}"}'),
    volume: tell('PUT', '/api/terminals/{zone}/volume', '{"volume":{level}}'),
    probe: ask('/api/terminals/{zone}', true),
    success: { pointer: '/successful', is: true },
    status: {
      ...{ playing: '/data/playing', is: true, job: '/data/task' },
      unable: [
        { pointer: '/data/online', is: false, words: 'its terminal is offline' },
        { pointer: '/data/muted', is: true, words: 'its terminal is muted' },
        { pointer: '/data/busy', is: true, words: 'its terminal is busy with something else' },
      ],
    },
    upload: {
      list: ask('/api/media', true),
      ...{ at: '/data', name: '/name', size: '/size', digest: '/sha256', rate: 200 },
      put: { method: 'PUT', path: '/api/media/{clip}', repeatable: true },
    },
  },
  // A line of JSON there, a line of JSON back; clips have numbers. No password, nothing encrypted: its own network only.
  'tcp-play': {
    repeats: true,
    play: line('{"cmd":"play","id":"{job}","clip":"{clip}","volume":{level},"repeat":{repeat}}'),
    stop: line('{"cmd":"stop"}'),
    probe: line('{"cmd":"status"}'),
    success: { pointer: '/ok', is: true },
    status: {
      ...{ playing: '/playing', is: true, job: '/id' },
      unable: [
        { pointer: '/muted', is: true, words: 'it is muted' },
        { pointer: '/busy', is: true, words: 'it is busy with something else' },
      ],
    },
  },
};
