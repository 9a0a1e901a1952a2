import { hashOf } from '../../address.ts';
import { Age } from '../../kit/age.tsx';
import { CardTable } from '../../kit/card-table.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useName, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { useSentence } from '../../names.ts';
import type { Report } from './report.tsx';
import { reportWords } from './report-words.ts';

/** What an alarm says, in the words of the screen. */
function useMessage(): (message: Report['top'][number]['message']) => string {
  const name = useName();
  const sentence = useSentence();
  return (message) => sentence(name(message));
}

export function Top({ top }: { readonly top: Report['top'] }) {
  const say = useWords(reportWords);
  const formats = useFormats();
  const messageOf = useMessage();
  return (
    <Panel title={say.top} extra={<span className="kit-soft">{say.topHelp}</span>}>
      <ol className="alarms-report-top">
        {top.map(({ source, message, count, share }) => (
          <li key={source} title={source}>
            <span>{messageOf(message)}</span>
            <span className="kit-number">
              {formats.number(count, 0)} · {formats.percent(share)}
            </span>
            <span className="alarms-report-share" aria-hidden="true">
              <span style={{ width: `${Math.round(share * 100)}%` }} />
            </span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

export function Chattering({ chattering }: { readonly chattering: Report['chattering'] }) {
  const say = useWords(reportWords);
  const formats = useFormats();
  const messageOf = useMessage();
  return (
    <Panel title={say.chattering}>
      <p className="alarms-report-help kit-soft">{chattering.length === 0 ? say.chatteringNone : say.chatteringHelp}</p>
      {chattering.length > 0 && (
        <CardTable<Report['chattering'][number]>
          label={say.chattering}
          rows={chattering}
          keyOf={({ source }) => source}
          minWidth={420}
          columns={[
            { key: 'source', title: say.source, render: ({ message }) => messageOf(message) },
            { key: 'count', title: say.count, align: 'right', render: ({ count }) => formats.number(count, 0) },
            { key: 'worst', title: say.chatterWorst, align: 'right', render: ({ worst }) => formats.number(worst, 0) },
            { key: 'last', title: say.last, render: ({ last }) => <Age time={last} /> },
          ]}
        />
      )}
    </Panel>
  );
}

export function Standing({ standing }: { readonly standing: Report['standing'] }) {
  const say = useWords(reportWords);
  const messageOf = useMessage();
  return (
    <Panel title={say.standing}>
      <p className="alarms-report-help kit-soft">{standing.length === 0 ? say.standingNone : say.standingHelp}</p>
      {standing.length > 0 && (
        <CardTable<Report['standing'][number]>
          label={say.standing}
          rows={standing}
          keyOf={({ id }) => id}
          minWidth={320}
          columns={[
            {
              key: 'message',
              title: say.source,
              render: ({ id, message }) => <a href={hashOf(`/alarms/${id}`)}>{messageOf(message)}</a>,
            },
            { key: 'since', title: say.since, render: ({ raised }) => <Age time={raised} /> },
          ]}
        />
      )}
    </Panel>
  );
}

export function Shelf({ shelved, shelf }: { readonly shelved: number; readonly shelf: Report['shelf'] }) {
  const say = useWords(reportWords);
  const formats = useFormats();
  const messageOf = useMessage();
  return (
    <Panel title={say.shelf} extra={shelved > 0 ? <span className="kit-soft">{say.shelved(shelved)}</span> : null}>
      {shelf.length === 0 ? (
        <p className="alarms-report-help kit-soft">{say.shelfNone}</p>
      ) : (
        <CardTable<Report['shelf'][number]>
          label={say.shelf}
          rows={shelf}
          keyOf={({ id }) => id}
          minWidth={420}
          columns={[
            {
              key: 'message',
              title: say.source,
              render: ({ id, message, by, reason }) => (
                <>
                  <a href={hashOf(`/alarms/${id}`)}>{messageOf(message)}</a>
                  <div className="kit-soft">{say.shelfBy(by.replace(/^(person|token):/, ''), reason)}</div>
                </>
              ),
            },
            { key: 'until', title: say.until, render: ({ until }) => formats.moment(until, now()) },
          ]}
        />
      )}
    </Panel>
  );
}
