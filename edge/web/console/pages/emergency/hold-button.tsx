import { type KeyboardEvent, type PointerEvent, type ReactNode, useEffect, useRef, useState } from 'react';

/** Long enough that nobody does it by mistake, short enough in danger, ms. */
export const holdTime = 1_500;

/**
 * A guarded button: it acts when it has been held for 1.5 s, by finger, mouse, Enter or the space bar. Whoever uses a screen reader
 * presses it once: there is no mouse that could slip.
 */
export function HoldButton({
  children,
  help,
  act,
  tone,
  isDisabled = false,
  onHeld,
}: {
  readonly children: ReactNode;
  /** Says that it must be held. */
  readonly help: string;
  /** For tests: what it does. */
  readonly act: string;
  readonly tone: 'danger' | 'drill' | 'good';
  readonly isDisabled?: boolean;
  readonly onHeld: () => void;
}) {
  const [isHeld, setHeld] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const wasByHand = useRef(false);
  useEffect(() => () => clearTimeout(timer.current), []);
  const begin = () => {
    if (isDisabled || timer.current !== undefined) return;
    setHeld(true);
    timer.current = setTimeout(() => {
      end();
      onHeld();
    }, holdTime);
  };
  const end = () => {
    clearTimeout(timer.current);
    timer.current = undefined;
    setHeld(false);
  };
  const keyed = (event: KeyboardEvent, then: () => void) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    if (!event.repeat) then();
  };
  const touched = (event: PointerEvent) => {
    wasByHand.current = true;
    if (event.button === 0) begin();
  };
  return (
    <button
      type="button"
      className={`emergency-hold emergency-hold-${tone}`}
      data-act={act}
      data-held={isHeld}
      aria-disabled={isDisabled}
      onPointerDown={touched}
      onPointerUp={end}
      onPointerLeave={end}
      onPointerCancel={end}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={(event) => keyed(event, begin)}
      onKeyUp={(event) => keyed(event, end)}
      onBlur={end}
      onClick={() => {
        const isByMachine = !wasByHand.current;
        wasByHand.current = false;
        if (isByMachine && !isDisabled) onHeld();
      }}
    >
      <span className="emergency-hold-fill" />
      <span className="emergency-hold-text">
        {children}
        <small>{help}</small>
      </span>
    </button>
  );
}
