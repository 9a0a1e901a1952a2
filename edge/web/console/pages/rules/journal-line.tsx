import { ToneBadge } from '../../kit/badges.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { stateWords } from '../../kit/state-words.ts';
import { now } from '../../kit/ticker.ts';
import { valueText } from '../../kit/values.ts';
import { placeText } from './place-text.ts';
import { useReason } from './reason-text.ts';
import type { JournalEntry, SeenView } from './rules-api.ts';
import { SeenChip } from './seen.tsx';
import type { Vocabulary } from './vocabulary.ts';
import { words } from './words.ts';

type Line = Omit<JournalEntry, 'seq'>;
const tones = {
  fired: 'wait',
  cleared: 'good',
  ended: 'plain',
  reset: 'plain',
  blind: 'bad',
  sighted: 'good',
  stepped: 'wait',
} as const;

/** One decision: when, where, why, what it saw, what it did. */
export function JournalLine({ line, vocabulary }: { readonly line: Line; readonly vocabulary: Vocabulary }) {
  const say = useWords(words);
  const formats = useFormats();
  const reason = useReason();
  const place = placeText(line.instance, vocabulary);
  return (
    <article className="rules-line" data-what={line.what} data-shadow={line.shadow}>
      <div className="rules-line-head">
        <time dateTime={new Date(line.time).toISOString()} title={formats.dateTime(line.time)} className="kit-number">
          {formats.moment(line.time, now())}
        </time>
        <ToneBadge tone={tones[line.what]}>{say[`what:${line.what}`]}</ToneBadge>
        {place !== '' && <strong>{place}</strong>}
        <span className="kit-soft">{say.version(String(line.version))}</span>
        {line.shadow && <ToneBadge tone="plain">{say.shadowLine}</ToneBadge>}
      </div>
      <p>{reason(line.why)}</p>
      <SeenList label={say.saw} seen={line.saw} vocabulary={vocabulary} />
      <Did line={line} vocabulary={vocabulary} />
    </article>
  );
}

export function SeenList({
  label,
  seen,
  vocabulary,
}: {
  readonly label: string;
  readonly seen: readonly SeenView[];
  readonly vocabulary: Vocabulary;
}) {
  if (seen.length === 0) return null;
  return (
    <div className="rules-line-part">
      <span className="kit-soft">{label}</span>
      <ul>
        {seen.map((one) => (
          <li key={one.ref}>
            <SeenChip seen={one} vocabulary={vocabulary} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Did({ line, vocabulary }: { readonly line: Line; readonly vocabulary: Vocabulary }) {
  const say = useWords(words);
  const language = useLanguage();
  if (line.did.length === 0) return null;
  return (
    <div className="rules-line-part">
      <span className="kit-soft">{line.shadow ? say.wouldHave : say.did}</span>
      <ul>
        {line.did.map((deed) => (
          <li key={deed} className="rules-chip-plain">
            {didText(deed, vocabulary, words[language])}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** `hold relay-1/relay_5=false at 1` as people say it; what nobody knows stays as it is. */
export function didText(deed: string, v: Vocabulary, say: (typeof words)['zh']): string {
  const [verb = '', rest = ''] = [deed.slice(0, deed.indexOf(' ')), deed.slice(deed.indexOf(' ') + 1)];
  const [, ref = '', value = ''] = /^([^=\s]+)(?:=(.*) at \d+)?$/.exec(rest) ?? [];
  const shown = () => {
    const point = v.point(ref);
    const number = Number(value);
    const given =
      value === 'true' ? true : value === 'false' ? false : value !== '' && Number.isFinite(number) ? number : value;
    return valueText(given, point?.unit ?? '', ref.split('/')[1] ?? '', v.language);
  };
  switch (verb) {
    case 'hold':
    case 'forbid':
      return say[`did:${verb}`](v.pointName(ref), shown());
    case 'relinquish':
    case 'permit':
      return say[`did:${verb}`](v.pointName(ref));
    case 'alarm':
      return say['did:alarm'](stateWords[v.language][`class:${rest as 'high'}`] ?? rest);
    case 'return':
      return say['did:return'];
    case 'snapshot':
      return say['did:snapshot'](v.deviceName(rest));
    case 'notify':
      return say['did:notify'](rest);
    default:
      return deed;
  }
}
