/** Whose something is. */
export interface Holder {
  readonly who: string;
  /** null: a token's. */
  readonly sessionId: string | null;
}

interface Closable {
  destroy(): unknown;
  once(event: 'close', listener: () => void): unknown;
}

/** Long answers and sockets: what must not outlive the session or token that it was asked for with. */
export class Held {
  readonly #held = new Map<Closable, Holder>();

  hold(holder: Holder, what: Closable): void {
    this.#held.set(what, holder);
    what.once('close', () => this.#held.delete(what));
  }

  end(isOver: (holder: Holder) => boolean): void {
    for (const [what, holder] of this.#held) if (isOver(holder)) what.destroy();
  }
}
