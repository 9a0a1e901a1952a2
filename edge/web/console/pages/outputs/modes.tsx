import { useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Select } from 'antd';
import { useId, useState } from 'react';
import type { z } from 'zod';
import type { modeSchema } from '../../../rule-schemas.ts';
import { api, errorDetail, errorText } from '../../api.ts';
import { ToneBadge } from '../../kit/badges.tsx';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { ErrorState } from '../../kit/states.tsx';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { now } from '../../kit/ticker.ts';
import { useSession } from '../../session.tsx';
import { useLink } from '../../use-live.tsx';
import { words } from './words.ts';

type Mode = z.infer<typeof modeSchema>;

const hour = 3_600_000;
/** 0: until somebody ends it. */
const lasts = [hour, 2 * hour, 4 * hour, 8 * hour, 24 * hour, 7 * 24 * hour, 0] as const;

/** What the whole campus is doing just now (an exam, a drill ...): rules heed it. Nothing where the site file names none. */
export function Modes() {
  const say = useWords(words);
  const name = useName();
  const language = useLanguage();
  const isPhone = useMedia(phoneQuery);
  const modes = useQuery({
    queryKey: ['modes'],
    queryFn: ({ signal }) => api.get<readonly Mode[]>('modes', signal),
    refetchInterval: 15_000,
  });
  if (modes.isError) {
    return (
      <ErrorState
        message={errorText(modes.error, language)}
        detail={errorDetail(modes.error)}
        onRetry={() => void modes.refetch()}
      />
    );
  }
  if (modes.data === undefined || modes.data.length === 0) return null;
  const on = modes.data.filter((mode) => mode.on);
  const list = (
    <ul>
      {modes.data.map((mode) => (
        <ModeItem key={mode.id} mode={mode} />
      ))}
    </ul>
  );
  if (isPhone) {
    return (
      <details className="kit-panel outputs-modes outputs-modes-fold" open={on.length > 0}>
        <summary>{say.modesNow(on.map((mode) => name(mode.name)).join(say.and) || say.modesNone)}</summary>
        {list}
      </details>
    );
  }
  return (
    <Panel title={say.modes} extra={<span className="kit-soft">{say.modesHelp}</span>} className="outputs-modes">
      {list}
    </Panel>
  );
}

function ModeItem({ mode }: { readonly mode: Mode }) {
  const say = useWords(words);
  const name = useName();
  const formats = useFormats();
  const { rights, zones } = useSession();
  const { state } = useLink();
  const [isAsking, setAsking] = useState(false);
  const maySet = rights.includes('operate') && zones === 'all';
  const until = mode.until === null ? say.modeOpen : say.modeUntil(formats.moment(mode.until, now()));
  return (
    <li data-mode={mode.id} data-on={mode.on}>
      <div className="outputs-mode-head">
        <h3>{name(mode.name)}</h3>
        <ToneBadge tone={mode.on ? 'wait' : 'plain'}>{mode.on ? say.modeOn : say.modeOff}</ToneBadge>
      </div>
      {mode.on && mode.since !== null && (
        <p>
          {say.modeSince(personOf(mode.by) || say.someone, formats.moment(mode.since, now()))} · {until}
        </p>
      )}
      {mode.on && mode.why !== null && mode.why !== '' && <p className="kit-soft">{mode.why}</p>}
      {maySet && (
        <Button
          disabled={state !== 'live'}
          {...(state === 'live' ? {} : { title: say.modeAway })}
          onClick={() => setAsking(true)}
        >
          {mode.on ? say.turnOff : say.turnOn}
        </Button>
      )}
      <ModeDialog mode={mode} isOpen={isAsking} onClose={() => setAsking(false)} />
    </li>
  );
}

function personOf(who: string | null): string {
  return who === null ? '' : who.replace(/^(person|token):/, '');
}

function ModeDialog({
  mode,
  isOpen,
  onClose,
}: {
  readonly mode: Mode;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const field = useId();
  const [length, setLength] = useState<number>(lasts[0]);
  const name = useName()(mode.name);
  return (
    <ReasonDialog
      open={isOpen}
      title={mode.on ? say.turnOffTitle(name) : say.turnOnTitle(name)}
      action={mode.on ? say.turnOff : say.turnOn}
      sayError={(error) => errorText(error, language)}
      onConfirm={async ({ reason }) => {
        const until = mode.on || length === 0 ? null : now() + length;
        await api.put(`modes/${mode.id}`, { on: !mode.on, until, why: reason });
        await queries.invalidateQueries({ queryKey: ['modes'] });
        void queries.invalidateQueries({ queryKey: ['now'] });
        void message.success(say.modeDone(name));
      }}
      onClose={onClose}
    >
      <p>{mode.on ? say.turnOffHelp : say.turnOnHelp}</p>
      {!mode.on && (
        <div className="kit-field">
          <label htmlFor={field}>{say.modeLasts}</label>
          <Select<number>
            id={field}
            value={length}
            onChange={setLength}
            options={lasts.map((ms) => ({ value: ms, label: ms === 0 ? say.modeUntilOff : formats.duration(ms) }))}
          />
        </div>
      )}
    </ReasonDialog>
  );
}
