import { Select } from 'antd';
import type { Condition } from '#edge/domain/rule.ts';
import { useWords } from '../../kit/language.tsx';
import { Chip } from './chip.tsx';
import { ConditionFields } from './condition-fields.tsx';
import { editorWords } from './editor-words.ts';
import { SelectField } from './field.tsx';
import { Mistakes, mistakesAt } from './mistakes.tsx';
import { type ConditionKind, newCondition } from './new-parts.ts';
import { conditionText } from './sentence.ts';
import type { Vocabulary } from './vocabulary.ts';

type Leaf = Exclude<Condition, { kind: 'any' | 'all' }>;
type Group = Extract<Condition, { kind: 'any' | 'all' }>;

interface ConditionProps<C extends Condition> {
  readonly condition: C;
  readonly path: string;
  readonly kinds: readonly ConditionKind[];
  readonly vocabulary: Vocabulary;
  readonly mistakes: readonly string[];
  readonly hasPlace: boolean;
  readonly onChange: (condition: Condition) => void;
  /** null: a rule cannot do without. */
  readonly onRemove: (() => void) | null;
}

/** `any` and `all` of one another, as deep as the language allows. */
const deepest = 8;

export function ConditionEditor(props: ConditionProps<Condition>) {
  const { condition } = props;
  return condition.kind === 'any' || condition.kind === 'all' ? (
    <GroupEditor {...props} condition={condition} />
  ) : (
    <LeafEditor {...props} condition={condition} />
  );
}

function LeafEditor({
  condition,
  path,
  kinds,
  vocabulary,
  mistakes,
  hasPlace,
  onChange,
  onRemove,
}: ConditionProps<Leaf>) {
  const say = useWords(editorWords);
  const offered = kinds.includes(condition.kind) ? kinds : [condition.kind, ...kinds];
  const text = conditionText(condition, vocabulary);
  const isRoot = path === 'when';
  return (
    <div className="rules-leaf">
      <Chip
        text={text}
        path={path}
        isWrong={mistakesAt(mistakes, [path]).length > 0}
        startsOpen={isUnfinished(condition)}
        onRemove={onRemove}
      >
        <div className="rules-edit-fields">
          <SelectField<ConditionKind>
            label={say.condition}
            value={condition.kind}
            onChange={(kind) => onChange(newCondition(kind))}
            options={offered.map((kind) => ({ value: kind, label: say[`cond:${kind}`] }))}
          />
          <ConditionFields condition={condition} vocabulary={vocabulary} hasPlace={hasPlace} onChange={onChange} />
        </div>
      </Chip>
      <Mistakes of={[path]} mistakes={mistakes} />
      {isRoot && (
        <button
          type="button"
          className="kit-button"
          data-add="condition"
          onClick={() => onChange({ kind: 'all', conditions: [condition, newCondition('point')] })}
        >
          + {say.addCondition}
        </button>
      )}
    </div>
  );
}

function GroupEditor({
  condition,
  path,
  kinds,
  vocabulary,
  mistakes,
  hasPlace,
  onChange,
  onRemove,
}: ConditionProps<Group>) {
  const say = useWords(editorWords);
  const { kind, conditions } = condition;
  const put = (next: readonly Condition[]) => {
    const [only] = next;
    // A group of one is that one.
    onChange(next.length === 1 && only !== undefined ? only : { kind, conditions: next });
  };
  const depth = path.split('.').length;
  const first = conditions[0];
  return (
    <fieldset className="rules-group" data-path={path}>
      <legend>
        <Select<'any' | 'all'>
          aria-label={say.groupMode}
          value={kind}
          onChange={(next) => onChange({ kind: next, conditions })}
          options={[
            { value: 'any', label: say.any },
            { value: 'all', label: say.all },
          ]}
        />
        {onRemove !== null && (
          <button type="button" className="kit-plain-button" onClick={onRemove}>
            ✕ {say.remove}
          </button>
        )}
      </legend>
      {conditions.map((one, i) => (
        <ConditionEditor
          key={`${path}.conditions[${i}] of ${conditions.length}`}
          condition={one}
          path={`${path}.conditions[${i}]`}
          kinds={kinds}
          vocabulary={vocabulary}
          mistakes={mistakes}
          hasPlace={hasPlace}
          onChange={(next) => onChange({ kind, conditions: conditions.with(i, next) })}
          onRemove={() => put(conditions.toSpliced(i, 1))}
        />
      ))}
      <Mistakes of={[path, `${path}.conditions`]} isExact mistakes={mistakes} />
      <div className="kit-actions">
        <button
          type="button"
          className="kit-button"
          data-add="condition"
          onClick={() => onChange({ kind, conditions: [...conditions, newCondition('point')] })}
        >
          + {say.addCondition}
        </button>
        {depth < deepest && first !== undefined && (
          <button
            type="button"
            className="kit-button"
            onClick={() =>
              onChange({
                kind,
                conditions: [
                  ...conditions,
                  { kind: kind === 'any' ? 'all' : 'any', conditions: [newCondition('point'), newCondition('point')] },
                ],
              })
            }
          >
            + {say.group}
          </button>
        )}
      </div>
    </fieldset>
  );
}

/** Just added: nothing is chosen in it yet. */
function isUnfinished(condition: Leaf): boolean {
  if (condition.kind === 'point' || condition.kind === 'rate') return condition.points.of === '';
  if (condition.kind === 'unacknowledged') return condition.rule === '';
  return condition.kind === 'mode' && condition.mode === '';
}
