import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import { LineIcon } from '../../kit/line-icon.tsx';
import { useTicking } from '../../kit/ticker.ts';
import type { Draft } from './read-body.ts';
import type { ConditionView } from './rules-api.ts';
import { SeenChip } from './seen.tsx';
import { conditionAt, conditionText } from './sentence.ts';
import type { Vocabulary } from './vocabulary.ts';
import { words } from './words.ts';

/** Points that are shown at once: those that say so come first. */
const mostPoints = 6;

/** A condition as its sentence, whether it is true now, how long it lacks, and the values it looks at. */
export function ConditionTree({
  condition,
  draft,
  vocabulary,
}: {
  readonly condition: ConditionView;
  readonly draft: Draft;
  readonly vocabulary: Vocabulary;
}) {
  const say = useWords(words);
  const { kind, met, parts, path, count, needs, dueAt } = condition;
  const isGroup = kind === 'any' || kind === 'all';
  const own = conditionAt(draft, path);
  const text = isGroup
    ? kind === 'any'
      ? say.condAny
      : say.condAll
    : own === undefined
      ? kind
      : conditionText(own, vocabulary);
  return (
    <li className={`rules-cond rules-cond-${met ? 'met' : 'not'}`} data-path={path} data-met={met}>
      <div className="rules-cond-head">
        <MetSign met={met} size={14} />
        <span className="rules-cond-text">{text}</span>
        <span className="rules-cond-state">
          {met ? say.met : say.notMet}
          {!isGroup &&
            count !== null &&
            needs !== null &&
            condition.points.length !== 1 &&
            ` · ${say.counted(String(count), String(needs))}`}
          {dueAt !== null && <Due at={dueAt} />}
        </span>
      </div>
      <Points condition={condition} vocabulary={vocabulary} />
      {parts.length > 0 && (
        <ul className="rules-tree">
          {parts.map((part) => (
            <ConditionTree key={part.path} condition={part} draft={draft} vocabulary={vocabulary} />
          ))}
        </ul>
      )}
    </li>
  );
}

function Due({ at }: { readonly at: number }) {
  const say = useWords(words);
  const formats = useFormats();
  const text = useTicking((now) => formats.duration(Math.max(0, at - now)));
  return <strong> · {say.due(text)}</strong>;
}

function Points({ condition, vocabulary }: { readonly condition: ConditionView; readonly vocabulary: Vocabulary }) {
  const say = useWords(words);
  const { points } = condition;
  if (points.length === 0) return null;
  const line = (point: ConditionView['points'][number]) => (
    <li key={point.ref} data-met={point.met}>
      <MetSign met={point.met} size={12} />
      <SeenChip seen={point} vocabulary={vocabulary} />
    </li>
  );
  return (
    <>
      <ul className="rules-points">{points.slice(0, mostPoints).map(line)}</ul>
      {points.length > mostPoints && (
        <details className="rules-more">
          <summary>{say.morePoints(String(points.length - mostPoints))}</summary>
          <ul className="rules-points">{points.slice(mostPoints).map(line)}</ul>
        </details>
      )}
    </>
  );
}

/** A full ring says so, an empty one not, a question that nobody knows. */
function MetSign({ met, size }: { readonly met: boolean | null; readonly size: number }) {
  if (met === true) return <SignIcon sign="dot" size={size} />;
  if (met === null) return <SignIcon sign="doubt" size={size} />;
  return (
    <LineIcon size={size}>
      <circle cx="10" cy="10" r="6.500" />
    </LineIcon>
  );
}
