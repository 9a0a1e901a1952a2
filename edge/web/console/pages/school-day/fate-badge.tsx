import { ToneBadge } from '../../kit/badges.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import type { LedgerLineView, OccurrenceView } from './data.ts';
import { ledgerMessageText } from './ledger-message.ts';
import { useNaming } from './naming.ts';
import { ledgerReasonText, outcomeText, reasonText } from './reason-words.ts';
import type { Fate } from './timeline.ts';
import { words } from './words.ts';

const tones: Readonly<Record<string, 'good' | 'wait' | 'bad' | 'plain'>> = {
  begun: 'wait',
  done: 'good',
  late: 'wait',
  skipped: 'plain',
  failed: 'bad',
  asked: 'bad',
};

/** What became of it, in a word. */
export function FateBadge({ fate }: { readonly fate: Fate }) {
  const say = useWords(words);
  const language = useLanguage();
  if (fate.kind === 'coming') return null;
  if (fate.kind === 'silenced') return <ToneBadge tone="plain">{say.notDone}</ToneBadge>;
  if (fate.kind === 'nothing') return <ToneBadge tone="plain">{say.noRecord}</ToneBadge>;
  const { outcome } = fate.line;
  return <ToneBadge tone={tones[outcome] ?? 'plain'}>{outcomeText(outcome, language)}</ToneBadge>;
}

/** Why it came so, in a sentence; null: it went as planned. */
export function useFateText(): (one: OccurrenceView, fate: Fate) => string | null {
  const say = useWords(words);
  const naming = useNaming();
  const lineText = useLineText();
  return (one, fate) => {
    if (one.silenced !== null) return reasonText(one.silenced, naming);
    if (fate.kind === 'nothing') return say.noRecordHelp;
    if (fate.kind !== 'ledger') return null;
    const { outcome, reason } = fate.line;
    if ((outcome === 'done' || outcome === 'begun') && reason === 'in-time') return null;
    return lineText(fate.line);
  };
}

/** A line of the ledger: why, and how late. */
export function useLineText(): (line: LedgerLineView) => string {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const naming = useNaming();
  return (line) => {
    const why = ledgerReasonText(line.reason, language);
    // What only the machine can say: which outputs, what refused it, what somebody wrote.
    const hasMore = ['refused', 'partly', 'not-confirmed', 'overruled', 'asked', 'restart'].includes(line.reason);
    const more = hasMore && line.message !== '' ? say.inBrackets(ledgerMessageText(line.message, naming)) : '';
    return `${why}${more}${line.reason === 'late' ? say.decidedAt(formats.clock(line.time)) : ''}`;
  };
}
