import { Button } from 'antd';
import { useState } from 'react';
import { Age } from '../../kit/age.tsx';
import { type Tone, ToneBadge } from '../../kit/badges.tsx';
import { CardTable } from '../../kit/card-table.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { useRight } from '../../session.tsx';
import { type Channel, detailText, type Health, healthOf } from './notice-words.ts';
import { TestDialog } from './test-dialog.tsx';
import { words } from './words.ts';

const tones: Readonly<Record<Health, Tone>> = { works: 'good', broken: 'bad', silent: 'plain' };

/** Ways to people, and how each fares. */
export function Channels({ channels }: { readonly channels: readonly Channel[] }) {
  const say = useWords(words);
  const name = useName();
  const language = useLanguage();
  const formats = useFormats();
  const mayTest = useRight('rules');
  const [testing, setTesting] = useState<Channel | null>(null);
  const number = (count: number) => <span className="kit-number">{formats.number(count, 0)}</span>;
  return (
    <Panel title={say.channels} extra={<span className="kit-soft">{say.sinceStart}</span>}>
      <CardTable<Channel>
        label={say.channels}
        rows={channels}
        keyOf={({ id }) => id}
        minWidth={820}
        columns={[
          {
            key: 'name',
            title: say.channel,
            render: (channel) => (
              <>
                <strong>{name(channel.name)}</strong>
                <div className="kit-soft">{say[`kind:${channel.kind}`]}</div>
              </>
            ),
          },
          { key: 'health', title: say.state, render: (channel) => <HealthCell channel={channel} /> },
          { key: 'queued', title: say.queued, align: 'right', render: ({ queued }) => number(queued) },
          { key: 'delivered', title: say.delivered, align: 'right', render: ({ delivered }) => number(delivered) },
          { key: 'failed', title: say.failed, align: 'right', render: ({ failed }) => number(failed) },
          {
            key: 'last',
            title: say.lastDelivered,
            render: ({ lastDelivered }) => (lastDelivered === null ? say.never : <Age time={lastDelivered} />),
          },
          {
            key: 'reach',
            title: say.reach,
            render: ({ kind, recipients }) => {
              if (kind !== 'email' && kind !== 'sms') return say.reachGroup;
              return recipients.length === 0 ? say.reachNobody : recipients.map((one) => name(one.name)).join(say.and);
            },
          },
        ]}
        {...(mayTest
          ? {
              actions: {
                title: say.test,
                render: (channel: Channel) => (
                  <Button data-test={channel.id} onClick={() => setTesting(channel)}>
                    {say.test}
                  </Button>
                ),
              },
            }
          : {})}
      />
      {testing !== null && (
        <TestDialog key={testing.id} channel={testing} language={language} onClose={() => setTesting(null)} />
      )}
    </Panel>
  );
}

function HealthCell({ channel }: { readonly channel: Channel }) {
  const say = useWords(words);
  const language = useLanguage();
  const health = healthOf(channel);
  return (
    <span data-health={health}>
      <ToneBadge tone={tones[health]}>{say[health]}</ToneBadge>
      {channel.problem !== null && (
        <span className="notices-problem" title={channel.problem}>
          {detailText(channel.problem, language)}
        </span>
      )}
    </span>
  );
}
