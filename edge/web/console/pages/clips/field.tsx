import type { ReactNode } from 'react';

/** An input with what it is called. */
export function Field({
  id,
  label,
  help,
  children,
}: {
  readonly id: string;
  readonly label: string;
  readonly help?: string;
  readonly children: ReactNode;
}) {
  return (
    <div className="kit-field">
      <label htmlFor={id}>{label}</label>
      {children}
      {help !== undefined && (
        <p id={`${id}-help`} className="kit-soft">
          {help}
        </p>
      )}
    </div>
  );
}
