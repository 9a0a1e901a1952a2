import { useWords } from '../../kit/language.tsx';
import { pointHash } from './address.ts';
import { words } from './words.ts';

/** Leads to what a value was. */
export function HistoryLink({ point, name }: { readonly point: string; readonly name: string }) {
  const say = useWords(words);
  return (
    <a className="devices-history" href={pointHash(point)} title={say.openHistory(name)}>
      <span className="kit-unseen">{say.openHistory(name)}</span>
      <svg
        viewBox="0 0 20 20"
        width="18"
        height="18"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.6"
        aria-hidden="true"
        focusable="false"
      >
        <path d="M2.500 16.500h15M3 12l4-4 3.500 3L17 4" strokeLinecap="round" strokeLinejoin="round" />
      </svg>
    </a>
  );
}
