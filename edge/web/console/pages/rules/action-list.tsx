import { Dropdown } from 'antd';
import type { Action, RuleKind } from '#edge/domain/rule.ts';
import { useWords } from '../../kit/language.tsx';
import { ActionFields } from './action-fields.tsx';
import { Chip } from './chip.tsx';
import { editorWords } from './editor-words.ts';
import { Mistakes, mistakesAt } from './mistakes.tsx';
import { type ActionKind, newAction } from './new-parts.ts';
import { actionText } from './sentence.ts';
import type { Vocabulary } from './vocabulary.ts';

const usual: readonly ActionKind[] = ['alarm', 'notify', 'hold', 'broadcast', 'snapshot', 'shed'];

interface ActionListProps {
  readonly actions: readonly Action[];
  readonly kind: RuleKind;
  readonly vocabulary: Vocabulary;
  readonly mistakes: readonly string[];
  readonly hasPlace: boolean;
  readonly onChange: (actions: readonly Action[]) => void;
}

/** What is done, in order; at most one alarm, and only safety forbids. */
export function ActionList({ actions, kind, vocabulary, mistakes, hasPlace, onChange }: ActionListProps) {
  const say = useWords(editorWords);
  const hasAlarm = actions.some((one) => one.kind === 'alarm');
  const offered = [...usual, ...(kind === 'safety' ? (['forbid'] as const) : [])].filter(
    (one) => one !== 'alarm' || !hasAlarm,
  );
  const swap = (i: number) => {
    const [above, own] = [actions[i - 1], actions[i]];
    if (above !== undefined && own !== undefined) onChange(actions.with(i - 1, own).with(i, above));
  };
  return (
    <>
      {actions.map((action, i) => (
        <div key={`then[${i}] of ${actions.length}`} className="rules-leaf">
          <Chip
            text={actionText(action, vocabulary)}
            path={`then[${i}]`}
            isWrong={mistakesAt(mistakes, [`then[${i}]`]).length > 0}
            startsOpen={isUnfinished(action)}
            extra={
              i > 0 && (
                <button type="button" className="kit-plain-button" aria-label={say.moveUp} onClick={() => swap(i)}>
                  ↑
                </button>
              )
            }
            onRemove={() => onChange(actions.toSpliced(i, 1))}
          >
            <div className="rules-edit-fields">
              <ActionFields
                action={action}
                vocabulary={vocabulary}
                hasPlace={hasPlace}
                onChange={(next) => onChange(actions.with(i, next))}
              />
            </div>
          </Chip>
          <Mistakes of={[`then[${i}]`]} mistakes={mistakes} />
        </div>
      ))}
      <Dropdown
        trigger={['click']}
        menu={{
          items: offered.map((one) => ({ key: one, label: say[`act:${one}`] })),
          onClick: ({ key }) => onChange([...actions, newAction(key as ActionKind, kind)]),
        }}
      >
        <button type="button" className="kit-button" data-add="action">
          + {say.addAction}
        </button>
      </Dropdown>
    </>
  );
}

function isUnfinished(action: Action): boolean {
  if (action.kind === 'alarm' || action.kind === 'notify') return action.message.zh === '';
  if (action.kind === 'hold' || action.kind === 'forbid') return action.outputs.of === '';
  return action.kind === 'broadcast' ? action.clip === '' : action.kind === 'snapshot' || action.order.length === 0;
}
