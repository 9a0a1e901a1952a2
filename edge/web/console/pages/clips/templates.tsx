import { useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button } from 'antd';
import { useState } from 'react';
import { api, problemText } from '../../api.ts';
import { Panel } from '../../kit/frame.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { TemplateDialog } from './template-dialog.tsx';
import { formOf, type TemplateView } from './template-form.ts';
import { words } from './words.ts';

/** Shared with the page of broadcast, where they are filled in and spoken. */
const templatesKey = ['broadcast', 'templates'] as const;

/** Texts with gaps that are spoken again and again. */
export function Templates({ mayChange }: { readonly mayChange: boolean }) {
  const say = useWords(words);
  const name = useName();
  const client = useQueryClient();
  const [open, setOpen] = useState<TemplateView | 'new' | null>(null);
  const remove = useRemoveTemplate();
  const { data } = useQuery({
    queryKey: templatesKey,
    queryFn: ({ signal }) => api.get<readonly TemplateView[]>('announcement-templates', signal),
    retry: 1,
  });
  const templates = (data ?? []).toSorted((a, b) => name(a.body.name).localeCompare(name(b.body.name)));
  if (templates.length === 0 && !mayChange) return null;
  const close = () => setOpen(null);
  return (
    <Panel title={say.templates}>
      <p className="kit-soft">{say.templatesHelp}</p>
      <ul className="clips-templates">
        {templates.map((one) => (
          <li key={one.id} data-template={one.id}>
            <span className="clips-title">
              <strong>{name(one.body.name)}</strong>
              <span className="kit-soft">{formOf(one.body).text}</span>
            </span>
            {mayChange && (
              <span className="kit-actions">
                <Button size="small" aria-label={say.changeOf(name(one.body.name))} onClick={() => setOpen(one)}>
                  {say.change}
                </Button>
                <Button size="small" aria-label={say.removeOf(name(one.body.name))} onClick={() => remove(one)}>
                  {say.remove}
                </Button>
              </span>
            )}
          </li>
        ))}
      </ul>
      {templates.length === 0 && <p className="kit-soft">{say.noTemplates}</p>}
      {mayChange && <Button onClick={() => setOpen('new')}>{say.newTemplate}</Button>}
      {open !== null && (
        <TemplateDialog
          template={open === 'new' ? null : open}
          onSaved={async () => {
            await client.invalidateQueries({ queryKey: templatesKey });
            close();
          }}
          onClose={close}
        />
      )}
    </Panel>
  );
}

/** Asks, removes, and says what came of it. */
function useRemoveTemplate(): (template: TemplateView) => void {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const client = useQueryClient();
  const { message, modal } = App.useApp();
  return ({ id, rev, body }) =>
    void modal.confirm({
      centered: true,
      title: say.removeTemplate,
      content: name(body.name),
      okText: say.remove,
      okButtonProps: { danger: true },
      cancelText: say.cancel,
      onOk: async () => {
        try {
          await api.delete(`announcement-templates/${id}?rev=${rev}`);
          void message.success(say.removed);
        } catch (error) {
          void message.error(problemText(error, language));
        }
        await client.invalidateQueries({ queryKey: templatesKey });
      },
    });
}
