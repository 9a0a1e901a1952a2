import { App, Button, Dropdown } from 'antd';
import { useState } from 'react';
import { goTo } from '../../address.ts';
import { api } from '../../api.ts';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { ruleProblem } from './problem-text.ts';
import { type Act, type RuleView, useRefreshRules } from './rules-api.ts';
import { words } from './words.ts';

export type Deed =
  | { readonly kind: 'activate' | 'rollBack' | 'shadow'; readonly version: number }
  | { readonly kind: 'endShadow' | 'turnOff' | 'remove' };

const routes = {
  activate: 'activate',
  rollBack: 'activate',
  turnOff: 'activate',
  shadow: 'shadow',
  endShadow: 'shadow',
  remove: 'remove',
} as const;

/** What comes next for the newest version, and the rest behind a menu. */
export function LifeBar({ rule }: { readonly rule: RuleView }) {
  const say = useWords(words);
  const [deed, setDeed] = useState<Deed | null>(null);
  const { latest, active, shadow, kind } = rule;
  const isFree = rule.proposal === null;
  const rest = [
    ...(shadow !== null ? [{ key: 'endShadow', label: say.endShadow }] : []),
    ...(active !== null && isFree ? [{ key: 'turnOff', label: say.turnOff }] : []),
    ...(active === null && shadow === null && isFree ? [{ key: 'remove', label: say.remove }] : []),
  ];
  return (
    <>
      {latest !== shadow && latest !== active && (
        <Button onClick={() => setDeed({ kind: 'shadow', version: latest })} data-act="shadow">
          {say.toShadow}
        </Button>
      )}
      {latest !== active && isFree && (
        <Button type="primary" onClick={() => setDeed({ kind: 'activate', version: latest })} data-act="activate">
          {kind === 'safety' ? say.propose : say.activate}
        </Button>
      )}
      {rest.length === 1 && rest[0] !== undefined && (
        <Button data-act={rest[0].key} onClick={() => setDeed({ kind: rest[0]?.key as 'turnOff' })}>
          {rest[0].label}
        </Button>
      )}
      {rest.length > 1 && (
        <Dropdown menu={{ items: rest, onClick: ({ key }) => setDeed({ kind: key as 'turnOff' }) }} trigger={['click']}>
          <Button>…</Button>
        </Dropdown>
      )}
      <DeedDialog rule={rule} deed={deed} onClose={() => setDeed(null)} />
    </>
  );
}

/** Asks for the reason of a deed, does it, and says what came of it. */
export function DeedDialog({
  rule,
  deed,
  onClose,
}: {
  readonly rule: RuleView;
  readonly deed: Deed | null;
  readonly onClose: () => void;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName()(rule.name);
  const refresh = useRefreshRules();
  const { message } = App.useApp();
  if (deed === null) return null;
  const isSafety = rule.kind === 'safety';
  const version = 'version' in deed ? deed.version : null;
  const number = String(version ?? '');
  const texts = {
    activate: isSafety
      ? [say.proposeTitle(number), say.proposeHelp, say.propose]
      : [say.activateTitle(number), say.activateHelp, say.activate],
    rollBack: [say.rollBackTitle(number), isSafety ? say.proposeHelp : say.activateHelp, say.rollBack],
    shadow: [say.toShadowTitle(number), say.toShadowHelp, say.toShadow],
    endShadow: [say.endShadow, say.endShadowHelp, say.endShadow],
    turnOff: [say.turnOffTitle(name), isSafety ? say.turnOffSafety : say.turnOffHelp, say.turnOff],
    remove: [say.removeTitle(name), say.removeHelp, say.remove],
  } as const;
  const [title, help, action] = texts[deed.kind];
  const act = async (why: string) => {
    const json = deed.kind === 'remove' ? { why } : { version, why };
    const { outcome } = await api.post<Act>(`rules/${rule.id}/${routes[deed.kind]}`, json, { patience: 60_000 });
    void message.success(outcome === 'proposed' ? say.proposed : say.done);
    if (deed.kind === 'remove') goTo('#/rules', 'replace');
    await refresh();
  };
  return (
    <ReasonDialog
      open
      title={title}
      action={action}
      isDangerous={deed.kind === 'turnOff' || deed.kind === 'remove'}
      sayError={(error) => ruleProblem(error, language)}
      onConfirm={({ reason }) => act(reason)}
      onClose={onClose}
    >
      <p>{help}</p>
    </ReasonDialog>
  );
}
