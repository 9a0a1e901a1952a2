import { useQuery } from '@tanstack/react-query';
import { Button, Input, Select } from 'antd';
import { useState } from 'react';
import { ruleKinds } from '#edge/domain/rule.ts';
import { api, errorDetail, errorText } from '../../api.ts';
import { PageHeader } from '../../kit/frame.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { EditorPage, type FromTemplate } from './editor-page.tsx';
import { editorWords } from './editor-words.ts';
import { emptyDraft } from './new-parts.ts';
import type { Body } from './read-body.ts';
import { KindBadge } from './rule-badges.tsx';
import type { TemplateView } from './rules-api.ts';
import { sentenceWords } from './sentence-words.ts';
import { TemplateForm } from './template-form.tsx';
import { templateText } from './template-text.ts';
import { useVocabulary } from './vocabulary.ts';
import { words } from './words.ts';
import { writeBody } from './write-body.ts';

interface Start {
  readonly body: Body;
  readonly template: FromTemplate | null;
}

/** From a template (a few fields), or from scratch. */
export function NewRule() {
  const [start, setStart] = useState<Start | null>(null);
  const [template, setTemplate] = useState<TemplateView | null>(null);
  if (start !== null) return <EditorPage start={start.body} base={0} active={null} template={start.template} />;
  if (template !== null) {
    return (
      <TemplateForm
        template={template}
        onBack={() => setTemplate(null)}
        onFilled={(body, values) => setStart({ body, template: { template: template.id, values } })}
      />
    );
  }
  return (
    <Choose onScratch={() => setStart({ body: writeBody(emptyDraft), template: null })} onTemplate={setTemplate} />
  );
}

function Choose({
  onScratch,
  onTemplate,
}: {
  readonly onScratch: () => void;
  readonly onTemplate: (template: TemplateView) => void;
}) {
  const say = useWords(editorWords);
  const base = useWords(words);
  const language = useLanguage();
  const name = useName();
  const kinds = useWords(sentenceWords);
  const vocabulary = useVocabulary();
  const [kind, setKind] = useState('');
  const [text, setText] = useState('');
  const templates = useQuery({
    queryKey: ['rule-templates'],
    queryFn: ({ signal }) => api.get<readonly TemplateView[]>('rules/templates', signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const wanted = text.trim().toLowerCase();
  const shown = (templates.data ?? []).filter(
    (one) =>
      (kind === '' || one.kind === kind) &&
      `${one.name.zh} ${one.name.en} ${one.about?.zh ?? ''} ${one.about?.en ?? ''}`.toLowerCase().includes(wanted),
  );
  return (
    <div className="rules-page">
      <p className="rules-back">
        <a href="#/rules">← {base.back}</a>
      </p>
      <PageHeader title={say.newTitle} about={say.chooseStart} />
      <div className="rules-filter">
        <Input
          type="search"
          allowClear
          aria-label={say.searchTemplates}
          placeholder={say.searchTemplates}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <Select
          aria-label={base.kind}
          value={kind}
          onChange={setKind}
          options={[
            { value: '', label: base.anyKind },
            ...ruleKinds.map((one) => ({ value: one as string, label: kinds[`kind:${one}`] })),
          ]}
        />
      </div>
      <div className="rules-templates">
        <article className="kit-panel rules-template">
          <h2>{say.scratch}</h2>
          <p>{say.scratchHelp}</p>
          <Button data-start="scratch" onClick={onScratch}>
            {say.scratch}
          </Button>
        </article>
        {shown.map((template) => (
          <article key={template.id} className="kit-panel rules-template" data-template={template.id}>
            <h2>
              {name(template.name)} <KindBadge kind={template.kind} />
            </h2>
            <p>{templateText(name(template.about), template, vocabulary)}</p>
            <Button onClick={() => onTemplate(template)}>{say.useTemplate}</Button>
          </article>
        ))}
      </div>
      {templates.isPending && <PageSkeleton />}
      {templates.isError && (
        <ErrorState
          message={errorText(templates.error, language)}
          detail={errorDetail(templates.error)}
          onRetry={() => void templates.refetch()}
        />
      )}
    </div>
  );
}
