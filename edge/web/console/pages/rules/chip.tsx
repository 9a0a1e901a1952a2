import { type ReactNode, useId, useState } from 'react';
import { useWords } from '../../kit/language.tsx';
import { editorWords } from './editor-words.ts';

/** A part of the sentence: says what it is, and opens its small editor beneath when it is pressed. */
export function Chip({
  text,
  path,
  isWrong,
  startsOpen,
  extra,
  onRemove,
  children,
}: {
  readonly text: string;
  readonly path: string;
  readonly isWrong: boolean;
  /** Something that was just added. */
  readonly startsOpen: boolean;
  readonly extra?: ReactNode;
  /** null: it cannot be removed. */
  readonly onRemove: (() => void) | null;
  readonly children: ReactNode;
}) {
  const say = useWords(editorWords);
  const id = useId();
  const [isOpen, setOpen] = useState(startsOpen);
  return (
    <div className="rules-chip-place" data-path={path}>
      <div className="rules-chip-line">
        <button
          type="button"
          className={`rules-chip ${isWrong ? 'rules-chip-wrong' : ''}`}
          aria-expanded={isOpen}
          aria-controls={id}
          onClick={() => setOpen(!isOpen)}
          onKeyDown={(event) => event.key === 'Escape' && setOpen(false)}
        >
          {text}
        </button>
        {extra}
        {onRemove !== null && (
          <button
            type="button"
            className="kit-plain-button"
            aria-label={say.removeWhat(text)}
            title={say.remove}
            onClick={onRemove}
          >
            ✕
          </button>
        )}
      </div>
      <div id={id} className="rules-chip-fields" hidden={!isOpen}>
        {isOpen && children}
      </div>
    </div>
  );
}
