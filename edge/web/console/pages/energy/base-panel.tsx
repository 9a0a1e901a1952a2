import { Panel } from '../../kit/frame.tsx';
import { useWords } from '../../kit/language.tsx';
import type { MediumReport } from './data.ts';
import { useFigures } from './figures.ts';
import { words } from './words.ts';

/** What flows while nobody is there: at night, and on days without school. */
export function BasePanel({ medium }: { readonly medium: MediumReport }) {
  const say = useWords(words);
  const figures = useFigures();
  const { night, weekend, share } = medium.base;
  const hours = medium.course.filter(({ amount, known }) => amount !== null && known > 0.5);
  const mean = hours.length === 0 ? null : hours.reduce((sum, { amount }) => sum + (amount ?? 0), 0) / hours.length;
  const most = Math.max(night ?? 0, weekend ?? 0, mean ?? 0, Number.MIN_VALUE);
  const rows = [
    { key: 'night', name: say.baseNight, value: night },
    { key: 'weekend', name: say.baseWeekend, value: weekend },
    { key: 'day', name: say.baseDay, value: mean },
  ];
  return (
    <Panel title={say.base} className="energy-base">
      <ul className="energy-ranks">
        {rows.map(({ key, name, value }) => (
          <li key={key} data-base={key}>
            <span>{name}</span>
            <span className="kit-number">
              {value === null ? (
                <span className="kit-soft">{figures.terms.unknown}</span>
              ) : (
                <>
                  <strong>{figures.number(value)}</strong> {figures.powerUnit(medium.medium)}
                </>
              )}
            </span>
            <span className="energy-rank-bar" aria-hidden="true">
              <span style={{ width: `${((value ?? 0) / most) * 100}%` }} />
            </span>
          </li>
        ))}
      </ul>
      <p className="kit-soft energy-note">
        {share !== null && `${say.baseShare} ${figures.percent(share)} · `}
        {say.baseHelp}
      </p>
    </Panel>
  );
}
