/** Devices behind one serial server share its line: one at a time. */
export interface Lines {
  /** Joins a line until it is disposed of. */
  join(key: string): Line;
}

export interface Line extends Disposable {
  inTurn<T>(work: () => Promise<T>): Promise<T>;
}

export function createLines(): Lines {
  const lines = new Map<string, { last: Promise<unknown>; users: number }>();
  return {
    join(key) {
      const line = lines.get(key) ?? { last: Promise.resolve(), users: 0 };
      lines.set(key, line);
      line.users++;
      let isIn = true;
      return {
        inTurn(work) {
          const done = line.last.then(work, work);
          line.last = done.catch(() => {});
          return done;
        },
        [Symbol.dispose]() {
          if (!isIn) return;
          isIn = false;
          line.users--;
          if (line.users === 0) lines.delete(key);
        },
      };
    },
  };
}
