import { Segmented } from 'antd';
import { useState } from 'react';
import type { EnergyPlanView } from '../../../energy-schemas.ts';
import { Panel } from '../../kit/frame.tsx';
import { useName, useWords } from '../../kit/language.tsx';
import { EmptyState } from '../../kit/states.tsx';
import type { MediumReport } from './data.ts';
import { useFigures } from './figures.ts';
import { words } from './words.ts';

type By = 'perArea' | 'perHead';

interface RankingProps {
  readonly medium: MediumReport;
  readonly buildings: EnergyPlanView['buildings'];
}

/** Buildings by what a square metre or a pupil of theirs takes: the only fair comparison of a hall with a hut. */
export function RankingPanel({ medium, buildings }: RankingProps) {
  const say = useWords(words);
  const [by, setBy] = useState<By>('perArea');
  const isThere = medium.buildings.some(
    ({ building, perArea, perHead }) => building !== null && (perArea ?? perHead) !== null,
  );
  const choices = [
    { value: 'perArea' as const, label: say.perArea },
    { value: 'perHead' as const, label: say.perHead },
  ];
  return (
    <Panel
      title={say.ranking}
      className="energy-ranking"
      extra={isThere && <Segmented<By> aria-label={say.rankBy} value={by} onChange={setBy} options={choices} />}
    >
      {isThere ? (
        <Ranking medium={medium} buildings={buildings} by={by} />
      ) : (
        <EmptyState title={say.noRanking}>{say.noRankingHelp}</EmptyState>
      )}
    </Panel>
  );
}

function Ranking({ medium, buildings, by }: RankingProps & { readonly by: By }) {
  const say = useWords(words);
  const name = useName();
  const figures = useFigures();
  const { terms } = figures;
  const unit = figures.unit(medium.unit);
  const perUnit = by === 'perArea' ? terms.perArea(unit) : terms.perHead(unit);
  const rows = medium.buildings
    .filter(({ building }) => building !== null)
    .toSorted((a, b) => (b[by] ?? -1) - (a[by] ?? -1));
  /** What is missing: the size, which somebody can write, or the amount. */
  const whyNot = (building: string | null) => {
    const size = buildings.find((one) => one.building === building);
    if (by === 'perArea') return (size?.area ?? null) === null ? say.noSize : terms.unknown;
    return (size?.people ?? null) === null ? say.noPeople : terms.unknown;
  };
  const most = Math.max(...rows.map((row) => row[by] ?? 0), Number.MIN_VALUE);
  return (
    <ol className="energy-ranks">
      {rows.map((row) => {
        const value = row[by];
        return (
          <li key={row.building}>
            <span>{name(row.name)}</span>
            <span className="kit-number">
              {value === null ? (
                <span className="kit-soft">{whyNot(row.building)}</span>
              ) : (
                <>
                  <strong>{figures.fine(value)}</strong> {perUnit}
                </>
              )}
            </span>
            <span className="energy-rank-bar" aria-hidden="true">
              <span style={{ width: `${((value ?? 0) / most) * 100}%` }} />
            </span>
          </li>
        );
      })}
    </ol>
  );
}
