/** `*` stands for any number of characters within a segment; segments are parted by `/`. */
export interface Glob {
  test(text: string): boolean;
}

/**
 * Looks at each character a bounded number of times, whatever the glob is: a regular expression made of sixty stars would go on
 * for longer than the campus stands, and whoever writes a rule could stop the process that must not stop.
 */
export function createGlob(glob: string): Glob {
  const segments = glob.split('/').map((segment) => segment.split('*'));
  return {
    test: (text) => {
      const words = text.split('/');
      return words.length === segments.length && words.every((word, i) => fits(word, segments[i] ?? []));
    },
  };
}

/** The first part begins the word, the last one ends it, and each other is taken where it comes first. */
function fits(word: string, parts: readonly string[]): boolean {
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return word === first;
  if (word.length < first.length + last.length || !word.startsWith(first) || !word.endsWith(last)) return false;
  let from = first.length;
  for (const part of rest) {
    const at = word.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return from <= word.length - last.length;
}
