import { Checkbox } from 'antd';
import { type Condition, type Rule, type RuleKind, ruleKinds } from '#edge/domain/rule.ts';
import { domainText } from '../../domain-words.ts';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { ActionList } from './action-list.tsx';
import { ConditionEditor } from './condition-editor.tsx';
import { editorWords } from './editor-words.ts';
import { DurationField, NameField, SelectField, TextField } from './field.tsx';
import { Mistakes } from './mistakes.tsx';
import { idOf, newCondition, sensingKinds, whileKinds } from './new-parts.ts';
import type { Draft } from './read-body.ts';
import { SelectionField } from './selection-field.tsx';
import { sentenceWords } from './sentence-words.ts';
import type { Vocabulary } from './vocabulary.ts';

export interface EditorProps {
  readonly draft: Draft;
  readonly vocabulary: Vocabulary;
  /** `path: what`, as the server's check says it. */
  readonly mistakes: readonly string[];
  /** Its id is chosen already. */
  readonly isSaved: boolean;
  readonly onChange: (draft: Draft) => void;
}

/** A rule as a sentence of chips: when, and only while, then, and how it ends. */
export function DraftEditor(props: EditorProps) {
  return (
    <div className="rules-editor">
      <Basics {...props} />
      <EachPart {...props} />
      <WhenPart {...props} />
      <WhilePart {...props} />
      <ThenPart {...props} />
      <EndingPart {...props} />
    </div>
  );
}

function Basics({ draft, mistakes, isSaved, onChange }: EditorProps) {
  const say = useWords(editorWords);
  const kinds = useWords(sentenceWords);
  const language = useLanguage();
  const about = draft.about ?? { zh: '', en: '' };
  return (
    <section className="kit-panel rules-edit-part">
      <h2>{say.about}</h2>
      <div className="rules-edit-fields">
        <NameField
          labels={[say.nameZh, say.nameEn]}
          value={draft.name}
          longest={120}
          onChange={(name) => {
            // As long as nobody wrote another id, it follows the name.
            const follows = !isSaved && draft.id === idOf(draft.name.en);
            onChange({ ...draft, name, ...(follows ? { id: idOf(name.en) } : {}) });
          }}
        />
        {!isSaved && (
          <TextField
            label={say.id}
            value={draft.id}
            help={say.idHelp}
            longest={63}
            onChange={(id) => onChange({ ...draft, id })}
          />
        )}
        <SelectField<RuleKind>
          label={say.kind}
          value={draft.kind}
          onChange={(kind) => onChange({ ...draft, kind, priority: kind === 'safety' ? 5 : 12 })}
          options={ruleKinds.map((kind) => ({ value: kind, label: kinds[`kind:${kind}`] }))}
          {...(draft.kind === 'safety' ? { help: say.safetyNote } : {})}
        />
        {draft.kind === 'safety' && (
          <SelectField<'1' | '5'>
            label={say.priority}
            value={draft.priority === 1 ? '1' : '5'}
            onChange={(level) => onChange({ ...draft, priority: level === '1' ? 1 : 5 })}
            options={[
              { value: '1', label: `${domainText('priority', 1, language)} 1` },
              { value: '5', label: `${domainText('priority', 5, language)} 5` },
            ]}
          />
        )}
        <NameField
          labels={[say.aboutZh, say.aboutEn]}
          value={about}
          longest={600}
          onChange={(next) => onChange({ ...draft, about: next })}
        />
      </div>
      <Mistakes of={['id', 'name', 'about', 'kind', 'priority', '(file)']} mistakes={mistakes} />
    </section>
  );
}

function EachPart({ draft, vocabulary, mistakes, onChange }: EditorProps) {
  const say = useWords(editorWords);
  const { each } = draft;
  return (
    <section className="kit-panel rules-edit-part">
      <h2>{say.each}</h2>
      <div className="rules-edit-fields">
        <SelectField<'none' | 'space' | 'zone' | 'device'>
          label={say.where}
          value={each?.place ?? 'none'}
          onChange={(place) =>
            onChange({ ...draft, each: place === 'none' ? null : { place, of: each?.of ?? { of: '' } } })
          }
          options={[
            { value: 'none', label: say.eachNone },
            { value: 'space', label: say.eachSpace },
            { value: 'zone', label: say.eachZone },
            { value: 'device', label: say.eachDevice },
          ]}
        />
        {each !== null && (
          <SelectionField
            value={each.of}
            vocabulary={vocabulary}
            hasPlace={false}
            onChange={(of) => onChange({ ...draft, each: { ...each, of } })}
          />
        )}
      </div>
      <Mistakes of={['each']} mistakes={mistakes} />
    </section>
  );
}

function WhenPart({ draft, vocabulary, mistakes, onChange }: EditorProps) {
  const say = useWords(editorWords);
  return (
    <section className="kit-panel rules-edit-part">
      <h2>{say.when}</h2>
      <ConditionEditor
        condition={draft.when}
        path="when"
        kinds={[...sensingKinds, ...whileKinds]}
        vocabulary={vocabulary}
        mistakes={mistakes}
        hasPlace={draft.each !== null}
        onChange={(when) => onChange({ ...draft, when })}
        onRemove={null}
      />
    </section>
  );
}

function WhilePart({ draft, vocabulary, mistakes, onChange }: EditorProps) {
  const say = useWords(editorWords);
  const { while: whiles } = draft;
  const put = (next: readonly Condition[]) => onChange({ ...draft, while: next });
  return (
    <section className="kit-panel rules-edit-part">
      <h2>{say.while}</h2>
      {whiles.length === 0 && <p className="kit-soft">{say.whileNone}</p>}
      {whiles.map((one, i) => (
        <ConditionEditor
          key={`while[${i}] of ${whiles.length}`}
          condition={one}
          path={`while[${i}]`}
          kinds={whileKinds}
          vocabulary={vocabulary}
          mistakes={mistakes}
          hasPlace={false}
          onChange={(next) => put(whiles.with(i, next))}
          onRemove={() => put(whiles.toSpliced(i, 1))}
        />
      ))}
      <button
        type="button"
        className="kit-button"
        data-add="while"
        onClick={() => put([...whiles, newCondition('calendar')])}
      >
        + {say.addWhile}
      </button>
    </section>
  );
}

function ThenPart({ draft, vocabulary, mistakes, onChange }: EditorProps) {
  const say = useWords(editorWords);
  return (
    <section className="kit-panel rules-edit-part">
      <h2>{say.then}</h2>
      <ActionList
        actions={draft.then}
        kind={draft.kind}
        vocabulary={vocabulary}
        mistakes={mistakes}
        hasPlace={draft.each !== null}
        onChange={(then: Rule['then']) => onChange({ ...draft, then })}
      />
      <Mistakes of={['then']} isExact mistakes={mistakes} />
    </section>
  );
}

function EndingPart({ draft, mistakes, onChange }: EditorProps) {
  const say = useWords(editorWords);
  return (
    <section className="kit-panel rules-edit-part">
      <h2>{say.ending}</h2>
      <Checkbox checked={draft.latch} onChange={(event) => onChange({ ...draft, latch: event.target.checked })}>
        {say.latch}
      </Checkbox>
      <div className="rules-edit-fields">
        <DurationField
          label={say.clearAfter}
          value={draft.clearAfter}
          onChange={(clearAfter) => onChange({ ...draft, clearAfter })}
        />
        {draft.kind !== 'safety' && (
          <DurationField
            label={say.coolDown}
            value={draft.coolDown}
            onChange={(coolDown) => onChange({ ...draft, coolDown })}
          />
        )}
      </div>
      <Mistakes of={['latch', 'clearAfter', 'coolDown']} mistakes={mistakes} />
    </section>
  );
}
