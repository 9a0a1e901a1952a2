import { type ReactNode, useLayoutEffect, useRef, useState } from 'react';

/** Rows drawn above and below what is seen, so that a quick wheel shows no holes. */
const spare = 6;

/**
 * A long list of rows of one height: only what is seen is in the page. Takes the height of its place unless one is given.
 * It can be scrolled by the keyboard, and says to those who hear it how many rows there are.
 */
export function VirtualList<T>({
  items,
  rowHeight,
  height,
  keyOf,
  render,
  label,
}: {
  readonly items: readonly T[];
  /** px */
  readonly rowHeight: number;
  /** px; absent: all of the place it is in. */
  readonly height?: number;
  readonly keyOf: (item: T) => string;
  readonly render: (item: T, index: number) => ReactNode;
  readonly label: string;
}) {
  const box = useRef<HTMLElement>(null);
  const [top, setTop] = useState(0);
  const [seen, setSeen] = useState(height ?? 600);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setSeen(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const first = Math.max(0, Math.floor(top / rowHeight) - spare);
  const last = Math.min(items.length, Math.ceil((top + seen) / rowHeight) + spare);
  return (
    <section
      ref={box}
      className="kit-virtual"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard.
      tabIndex={0}
      style={height === undefined ? { height: '100%' } : { height }}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
    >
      <ul style={{ height: items.length * rowHeight }}>
        {items.slice(first, last).map((item, index) => (
          <li
            key={keyOf(item)}
            aria-setsize={items.length}
            aria-posinset={first + index + 1}
            style={{ height: rowHeight, transform: `translateY(${(first + index) * rowHeight}px)` }}
          >
            {render(item, first + index)}
          </li>
        ))}
      </ul>
    </section>
  );
}
