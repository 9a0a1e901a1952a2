import { useMemo } from 'react';
import { QualityBadge } from '../../kit/badges.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import { VirtualTable } from '../../kit/virtual-table.tsx';
import type { Curve } from './history-option.ts';
import { historyWords } from './history-words.ts';

interface Row {
  readonly key: string;
  readonly t: number;
  readonly cells: readonly string[];
  readonly quality: 'good' | 'uncertain' | 'bad';
}

/** The same as numbers: for those who do not see the curve, and those who want the exact value. */
export function HistoryTable({
  curves,
  text,
  height,
}: {
  readonly curves: readonly Curve[];
  readonly text: (value: number) => string;
  readonly height: number;
}) {
  const say = useWords(historyWords);
  const formats = useFormats();
  const [first, ...others] = curves;
  const hasBand = first?.points.some(({ min, max }) => typeof min === 'number' && typeof max === 'number') === true;
  const rows = useMemo(() => {
    const known = others.map(({ points }) => new Map(points.map((point) => [point.t, point.value])));
    const said = (value: number | null | undefined) => (value === null || value === undefined ? '—' : text(value));
    return (first?.points ?? []).toReversed().map(
      ({ t, value, min, max, quality = 'good' }, index): Row => ({
        key: `${t} ${index}`,
        t,
        quality,
        cells: [said(value), ...(hasBand ? [said(min), said(max)] : []), ...known.map((points) => said(points.get(t)))],
      }),
    );
  }, [first, others, hasBand, text]);
  const titles = [first?.name ?? '', ...(hasBand ? [say.min, say.max] : []), ...others.map(({ name }) => name)];
  return (
    <>
      <VirtualTable<Row>
        rows={rows}
        rowKey="key"
        height={height}
        minWidth={320 + titles.length * 120}
        columns={[
          {
            key: 'time',
            title: say.time,
            width: 190,
            render: (_, row) => <span className="kit-number">{formats.dateTime(row.t)}</span>,
          },
          ...titles.map((title, index) => ({
            key: `${index}`,
            title,
            width: 130,
            align: 'right' as const,
            render: (_: unknown, row: Row) => <span className="kit-number">{row.cells[index]}</span>,
          })),
          {
            key: 'quality',
            title: say.quality,
            width: 130,
            render: (_, row) => <QualityBadge quality={row.quality} showGood />,
          },
        ]}
      />
      <p className="kit-soft">{say.rows(rows.length)}</p>
    </>
  );
}
