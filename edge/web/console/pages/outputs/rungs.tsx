import type { OutputView, PointView } from '../../api.ts';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { valueText } from '../../kit/values.ts';
import { LevelText } from '../../level.tsx';
import { useOwnerText, useSentence } from '../../names.ts';
import { levels, type Rung, rungsOf } from './rows.ts';
import { words } from './words.ts';

/** The five levels at a glance: which are held, which one counts. The words beside it say the same. */
export function Strip({ output }: { readonly output: OutputView | undefined }) {
  const rungs = output === undefined ? [] : rungsOf(output);
  return (
    <span className="outputs-strip" aria-hidden="true">
      {levels.map((level, index) => {
        const rung = rungs[index];
        const look = rung?.isInForce ? 'top' : rung !== undefined && rung.holds.length > 0 ? 'below' : 'empty';
        return (
          <span key={level} data-look={look} data-forbids={rung !== undefined && rung.forbids.length > 0}>
            {level}
          </span>
        );
      })}
    </span>
  );
}

/** The whole ladder of one output: every level, who stands on it, what he wants and why. */
export function Rungs({ output, point }: { readonly output: OutputView; readonly point: PointView }) {
  const say = useWords(words);
  return (
    <section className="outputs-rungs">
      <h4>{say.ladder}</h4>
      <p className="kit-soft">{say.ladderHelp}</p>
      <table>
        <thead>
          <tr>
            <th scope="col">{say.levelColumn}</th>
            <th scope="col">{say.wants}</th>
            <th scope="col">{say.whoColumn}</th>
          </tr>
        </thead>
        <tbody>
          {rungsOf(output).map((rung) => (
            <tr key={rung.level} data-level={rung.level} data-in-force={rung.isInForce}>
              <th scope="row">
                <LevelText level={rung.level} />
              </th>
              <RungCells rung={rung} point={point} />
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function RungCells({ rung, point }: { readonly rung: Rung; readonly point: PointView }) {
  const say = useWords(words);
  const language = useLanguage();
  const ownerOf = useOwnerText();
  const sentence = useSentence();
  const text = (value: OutputView['value']) => valueText(value, point.unit, point.point, language);
  const [first] = rung.holds;
  return (
    <>
      <td>
        {first === undefined ? <span className="kit-soft">{say.empty}</span> : <strong>{text(first.value)}</strong>}
        {first !== undefined && <span className="outputs-rung-mark">{rung.isInForce ? say.inForce : say.below}</span>}
      </td>
      <td>
        {rung.holds.map((hold) => (
          <p key={hold.owner}>
            {ownerOf(hold.owner)}
            {hold.reason !== '' && <span className="kit-soft"> · {sentence(hold.reason)}</span>}
          </p>
        ))}
        {rung.forbids.map((forbid) => (
          <p key={`${forbid.owner} ${String(forbid.value)}`} className="outputs-forbids">
            {say.forbids(text(forbid.value), ownerOf(forbid.owner))}
            <span className="kit-soft"> · {sentence(forbid.reason)}</span>
          </p>
        ))}
      </td>
    </>
  );
}
