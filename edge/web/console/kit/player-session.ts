import { type LineState, LiveLine, type StreamFacts } from './player-line.ts';
import { codecsOfBrowser, MsePlayer } from './player-mse.ts';
import { FrameCounter, type PlayerStats } from './player-stats.ts';

/* One camera on the screen, from opening to closing: the line, what shows it, and what is known of it. React stands outside. */

export interface SessionView {
  readonly state: LineState;
  readonly facts: StreamFacts | null;
  readonly hasPicture: boolean;
}

export interface SessionOptions {
  readonly camera: string;
  readonly role: 'main' | 'sub';
  readonly video: HTMLVideoElement;
  readonly image: HTMLImageElement;
  readonly onView: (view: SessionView) => void;
}

/** What browsers said that they can show, and could not: not asked for again on this page. */
const broken = new Set<string>();
const restartPause = 500;

export class PlayerSession implements Disposable {
  readonly #options: SessionOptions;
  #line: LiveLine | null = null;
  #player: MsePlayer | null = null;
  #counter: FrameCounter;
  #facts: StreamFacts | null = null;
  #state: LineState = { kind: 'opening', reason: '' };
  #hasPicture = false;
  #pictureUrl = '';
  #restart: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#counter = new FrameCounter(options.video, () => this.#shown());
    this.#open();
  }

  get stats(): PlayerStats & { readonly lag: number | null } {
    const lag = this.#player?.lag ?? null;
    return { ...this.#counter.stats(), lag: lag === null ? null : Math.round(lag * 1000) };
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#restart);
    this.#line?.[Symbol.dispose]();
    this.#player?.[Symbol.dispose]();
    this.#counter[Symbol.dispose]();
    if (this.#pictureUrl !== '') URL.revokeObjectURL(this.#pictureUrl);
  }

  #open(): void {
    const codecs = codecsOfBrowser().filter((codec) => !broken.has(codec));
    if (codecs.length === 0) {
      this.#state = { kind: 'refused', reason: 'unsupported' };
      this.#tell();
      return;
    }
    const { camera, role } = this.#options;
    const listener = {
      stream: (facts: StreamFacts) => this.#begin(facts),
      bytes: (content: ArrayBuffer) => this.#take(content),
      state: (state: LineState) => {
        this.#state = state;
        this.#tell();
      },
    };
    this.#line = new LiveLine({ camera, role, codecs, listener });
  }

  #begin(facts: StreamFacts): void {
    this.#facts = facts;
    if (facts.source !== 'pictures') {
      this.#player ??= new MsePlayer(this.#options.video, { failed: (why) => this.#failed(why) });
      this.#player.begin(facts.mime);
    }
    this.#tell();
  }

  #take(content: ArrayBuffer): void {
    if (this.#facts?.source !== 'pictures') {
      this.#player?.append(content);
      return;
    }
    const before = this.#pictureUrl;
    this.#pictureUrl = URL.createObjectURL(new Blob([content], { type: 'image/jpeg' }));
    this.#options.image.src = this.#pictureUrl;
    if (before !== '') URL.revokeObjectURL(before);
    this.#counter.count();
  }

  /** A codec that fails is not asked for again; everything else begins anew as it was. */
  #failed(why: 'decode' | 'append' | 'overflow'): void {
    if (this.#isOver || this.#restart !== undefined) return;
    const family = this.#facts?.codec.split('.')[0] ?? '';
    if (why === 'decode' && family.startsWith('h')) broken.add('hvc1');
    this.#line?.[Symbol.dispose]();
    this.#line = null;
    this.#restart = setTimeout(() => {
      this.#restart = undefined;
      this.#player?.[Symbol.dispose]();
      this.#player = null;
      this.#open();
    }, restartPause);
  }

  #shown(): void {
    this.#hasPicture = true;
    this.#tell();
  }

  #tell(): void {
    if (this.#isOver) return;
    this.#options.onView({ state: this.#state, facts: this.#facts, hasPicture: this.#hasPicture });
  }
}
