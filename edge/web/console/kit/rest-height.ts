import { type RefCallback, useCallback, useState } from 'react';

/** Below what fills a page there is its own margin, px. */
const margin = 24;

/**
 * How high something may be to end where the page ends, px: for lists that scroll by themselves. At least `least`; then the
 * page scrolls. `extra`: what stands between it and the end (a border, the head of a table).
 */
export function useRestHeight(least: number, extra = 0): readonly [ref: RefCallback<HTMLElement>, height: number] {
  const [height, setHeight] = useState(least);
  const ref = useCallback<RefCallback<HTMLElement>>(
    (element) => {
      const main = element?.closest('main');
      if (element === null || main === null || main === undefined) return;
      const measure = () => {
        const top = element.getBoundingClientRect().top - main.getBoundingClientRect().top + main.scrollTop;
        setHeight(Math.max(least, Math.floor(main.clientHeight - top - margin - extra)));
      };
      const observer = new ResizeObserver(measure);
      observer.observe(main);
      // What stands above it may grow.
      for (const child of main.children) observer.observe(child);
      measure();
      return () => observer.disconnect();
    },
    [least, extra],
  );
  return [ref, height];
}
