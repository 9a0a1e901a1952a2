import { Button } from 'antd';
import { useMemo } from 'react';
import type { OutputView } from '../../api.ts';
import { QualityBadge, ToneBadge } from '../../kit/badges.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState } from '../../kit/states.tsx';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { now } from '../../kit/ticker.ts';
import { pointLabel, valueText } from '../../kit/values.ts';
import { VirtualList } from '../../kit/virtual-list.tsx';
import { LevelText } from '../../level.tsx';
import { useOwnerText, useZoneName } from '../../names.ts';
import { useReading } from '../../use-live.tsx';
import { type Filter, holderKind, noFilter, passes, type Row } from './rows.ts';
import { Strip } from './rungs.tsx';
import { words } from './words.ts';

/** Every output that is looked for, a line each. */
export function OutputList({
  rows,
  filter,
  selected,
  hrefOf,
  onFilter,
}: {
  readonly rows: readonly Row[];
  readonly filter: Filter;
  readonly selected: string | null;
  readonly hrefOf: (ref: string) => string;
  readonly onFilter: (filter: Filter) => void;
}) {
  const say = useWords(words);
  const isPhone = useMedia(phoneQuery);
  const wordsOf = useRowWords();
  const shown = useMemo(() => rows.filter((row) => passes(row, filter, wordsOf(row))), [rows, filter, wordsOf]);
  if (shown.length === 0) {
    return <EmptyState title={say.noMatch} action={<Button onClick={() => onFilter(noFilter)}>{say.clear}</Button>} />;
  }
  return (
    <VirtualList
      label={say.list}
      items={shown}
      rowHeight={isPhone ? 96 : 68}
      keyOf={({ point }) => point.id}
      render={(row) => <OutputRow row={row} isSelected={row.point.id === selected} href={hrefOf(row.point.id)} />}
    />
  );
}

/** Everything that a row is called by. */
function useRowWords(): (row: Row) => string {
  const name = useName();
  const language = useLanguage();
  const zoneName = useZoneName();
  const ownerOf = useOwnerText();
  return useMemo(
    () =>
      ({ point, output }) =>
        [
          point.id,
          name(point.deviceName),
          pointLabel(point.point, point.label, language),
          zoneName(point.zone),
          ...(output?.stack ?? []).map(({ owner }) => ownerOf(owner)),
        ].join(' '),
    [name, language, zoneName, ownerOf],
  );
}

function OutputRow({
  row: { point, output },
  isSelected,
  href,
}: {
  readonly row: Row;
  readonly isSelected: boolean;
  readonly href: string;
}) {
  const name = useName();
  const language = useLanguage();
  const zoneName = useZoneName();
  const reading = useReading(point.id);
  const value = output?.value ?? reading?.value ?? null;
  const label = pointLabel(point.point, point.label, language);
  return (
    <a
      className="outputs-row"
      href={href}
      aria-current={isSelected ? 'true' : undefined}
      data-output-row={point.id}
      data-holder={holderKind(output?.holder ?? null)}
    >
      <span className="outputs-row-words">
        <span className="outputs-row-title">
          <strong>{label}</strong>
          <span className="kit-soft">
            {name(point.deviceName)} · {zoneName(point.zone)}
          </span>
        </span>
        <HolderLine output={output} />
        <Signs output={output} />
      </span>
      <Strip output={output} />
      <span className="outputs-row-value">
        {valueText(value, point.unit, point.point, language)}
        {reading !== undefined && <QualityBadge quality={reading.quality} reason={reading.reason} />}
      </span>
    </a>
  );
}

/** `人工（控制台） · 人工 8 · 到 18:00` */
function HolderLine({ output }: { readonly output: OutputView | undefined }) {
  const say = useWords(words);
  const formats = useFormats();
  const ownerOf = useOwnerText();
  if (output === undefined) return <span className="outputs-row-holder kit-soft">{say.unknown}</span>;
  const { holder, priority, until } = output;
  if (holder === null || priority === null) return <span className="outputs-row-holder kit-soft">{say.free}</span>;
  const end = until === null ? say.untilReset : say.untilShort(formats.moment(until, now()));
  return (
    <span className="outputs-row-holder">
      {ownerOf(holder)} · <LevelText level={priority} /> · {end}
    </span>
  );
}

/** What somebody may want to look into. */
function Signs({ output }: { readonly output: OutputView | undefined }) {
  const say = useWords(words);
  if (output === undefined) return null;
  const { waiting, local, forbidden } = output;
  if (waiting === null && local === null && forbidden.length === 0) return null;
  return (
    <span className="outputs-row-signs">
      {waiting !== null && <ToneBadge tone="wait">{say[`wait:${waiting.for}`]}</ToneBadge>}
      {local !== null && <ToneBadge tone="wait">{say.local}</ToneBadge>}
      {forbidden.length > 0 && <ToneBadge tone="bad">{say.forbidden}</ToneBadge>}
    </span>
  );
}
