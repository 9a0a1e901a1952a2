import type { ReactNode } from 'react';

/** One figure of a list, with the mark it has in the picture beside it. */
export function Fact({
  name,
  value,
  help,
  mark,
  isStrong = false,
}: {
  readonly name: string;
  readonly value: ReactNode;
  readonly help?: ReactNode;
  readonly mark?: string;
  readonly isStrong?: boolean;
}) {
  return (
    <div>
      <dt>
        {mark !== undefined && <span className="energy-mark" data-mark={mark} aria-hidden="true" />}
        {name}
      </dt>
      <dd className="kit-number" data-strong={isStrong}>
        {value}
      </dd>
      {help !== undefined && <dd className="kit-soft kit-number energy-fact-help">{help}</dd>}
    </div>
  );
}
