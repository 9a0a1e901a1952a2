import { SignIcon } from '../../kit/icons.tsx';
import { useWords } from '../../kit/language.tsx';
import { useNaming } from './naming.ts';
import { type ReasonLike, reasonText } from './reason-words.ts';
import { words } from './words.ts';

/** A chain of reasons, one step a line: what it is first, then what that rests on. */
export function Why({ reasons }: { readonly reasons: readonly ReasonLike[] }) {
  const naming = useNaming();
  return (
    <ol className="schoolday-why">
      {reasons.map((reason, n) => (
        <li key={n} data-reason={reason.code} data-assumed={reason.code.startsWith('assumed') || undefined}>
          {reasonText(reason, naming)}
        </li>
      ))}
    </ol>
  );
}

/** The same in one line, as a summary that opens. */
export function WhyFold({ reasons, label }: { readonly reasons: readonly ReasonLike[]; readonly label?: string }) {
  const say = useWords(words);
  return (
    <details className="schoolday-fold">
      <summary className="schoolday-summary">{label ?? say.why}</summary>
      <Why reasons={reasons} />
    </details>
  );
}

/** What nobody knows and is assumed all the same: said loudly wherever it is used. */
export function Unconfirmed({ reasons }: { readonly reasons: readonly ReasonLike[] }) {
  const say = useWords(words);
  const naming = useNaming();
  const texts = [...new Set(reasons.map((reason) => unconfirmedText(reason, naming)))];
  if (texts.length === 0) return null;
  return (
    <div className="schoolday-loud" data-unconfirmed={reasons.length} role="note">
      <SignIcon sign="triangle" size={18} />
      <div>
        <strong>{say.unconfirmed}</strong>
        <ul>
          {texts.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      </div>
    </div>
  );
}

/** With the name of the painted day, so that several of them are told apart. */
export function unconfirmedText(reason: ReasonLike, naming: Parameters<typeof reasonText>[1]): string {
  const text = reasonText(reason, naming);
  return reason.entry === undefined ? text : `${naming.entry(reason.entry)} · ${text}`;
}
