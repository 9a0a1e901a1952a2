import { pointHash } from '../../address.ts';
import { useWords } from '../../kit/language.tsx';
import { LineIcon } from '../../kit/line-icon.tsx';
import { words } from './words.ts';

/** Leads to what a value was. */
export function HistoryLink({ point, name }: { readonly point: string; readonly name: string }) {
  const say = useWords(words);
  return (
    <a className="devices-history" href={pointHash(point)} title={say.openHistory(name)}>
      <span className="kit-unseen">{say.openHistory(name)}</span>
      <LineIcon>
        <path d="M2.500 16.500h15M3 12l4-4 3.500 3L17 4" />
      </LineIcon>
    </a>
  );
}
