import type { SystemView } from '../../../system-schemas.ts';
import { domainText } from '../../domain-words.ts';
import { Age } from '../../kit/age.tsx';
import { StateBadge, ToneBadge, toneOfState } from '../../kit/badges.tsx';
import { CardTable } from '../../kit/card-table.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { useSentence } from '../../names.ts';
import { words } from './words.ts';

type Process = SystemView['processes'][number];

/** How each process does, and why it ended when it last did. */
export function ProcessPanel({ processes }: { readonly processes: readonly Process[] }) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const sentence = useSentence();
  const ill = processes.filter(({ state }) => toneOfState(state) !== 'good').length;
  const summary =
    ill === 0 ? (
      <ToneBadge tone="good">{say.allRun(processes.length)}</ToneBadge>
    ) : (
      <ToneBadge tone="bad">{say.someDown(ill)}</ToneBadge>
    );
  return (
    <Panel title={say.processes} extra={summary} className="system-wide">
      <CardTable<Process>
        label={say.processes}
        rows={processes}
        keyOf={({ name }) => name}
        minWidth={760}
        columns={[
          {
            key: 'name',
            title: say.process,
            render: ({ name }) => (
              <span className="system-process">
                <strong>{domainText('process', name, language)}</strong> <span className="kit-soft">{name}</span>
              </span>
            ),
          },
          { key: 'state', title: say.state, render: ({ state }) => <StateBadge state={state} /> },
          { key: 'since', title: say.since, render: ({ since }) => <Age time={since} /> },
          {
            key: 'restarts',
            title: say.restarts,
            align: 'right',
            render: ({ restarts }) => <span className="kit-number">{restarts}</span>,
          },
          {
            key: 'memory',
            title: say.memory,
            align: 'right',
            render: ({ rss }) => <span className="kit-number">{rss === null ? '—' : formats.bytes(rss)}</span>,
          },
          {
            key: 'delay',
            title: say.loopDelay,
            align: 'right',
            render: ({ loopDelay }) => (
              <span className="kit-number">{loopDelay === null ? '—' : `${Math.round(loopDelay)} ms`}</span>
            ),
          },
          {
            key: 'exit',
            title: say.lastExit,
            render: ({ lastExit }) => (lastExit === null ? null : sentence(lastExit)),
          },
        ]}
      />
    </Panel>
  );
}
