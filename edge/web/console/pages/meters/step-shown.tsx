import { useState } from 'react';
import { useFormats, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { counterWords } from './counter-words.ts';
import { mostShown, type Step, useShown } from './data.ts';
import { useStepTexts } from './step-texts.ts';

/** Every reading that was not believed, for whoever stands before the meter; folded away, and asked for when it is opened. */
export function Shown({ step }: { readonly step: Step }) {
  const say = useWords(counterWords);
  const [isOpen, setIsOpen] = useState(false);
  return (
    <details className="meters-more meters-shown" onToggle={({ currentTarget }) => setIsOpen(currentTarget.open)}>
      <summary>{say.shown}</summary>
      {isOpen && <Readings step={step} />}
    </details>
  );
}

function Readings({ step }: { readonly step: Step }) {
  const say = useWords(counterWords);
  const formats = useFormats();
  const { amount } = useStepTexts(step);
  const { data } = useShown(step);
  if (data === undefined) return null;
  if (data.samples.length === 0) return <p className="kit-soft">{say.shownNone}</p>;
  return (
    <>
      <div className="meters-shown-list">
        <table>
          <thead>
            <tr>
              <th scope="col">{say.shownTime}</th>
              <th scope="col">{say.shownValue}</th>
            </tr>
          </thead>
          <tbody>
            {data.samples.map(({ t, value, quality }) => (
              <tr key={t}>
                <td>{formats.moment(t, now())}</td>
                <td className="kit-number">
                  {typeof value === 'number' ? amount(value) : '—'}
                  {quality !== 'good' && <span className="kit-soft"> {say.shownStray}</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {data.isMore && <p className="kit-soft">{say.shownMore(mostShown)}</p>}
    </>
  );
}
