import { Drawer, type TableColumnsType } from 'antd';
import { useState } from 'react';
import type { AuditPage } from '../../../system-schemas.ts';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { useRestHeight } from '../../kit/rest-height.ts';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { VirtualList } from '../../kit/virtual-list.tsx';
import { VirtualTable } from '../../kit/virtual-table.tsx';
import { useWhoText } from '../people/who.tsx';
import { deedOf } from './deeds.ts';
import { outcomeText } from './outcomes.ts';
import { words } from './words.ts';

type Line = AuditPage['lines'][number];

/** Newest first; a line opens in a drawer with everything that was written. On a phone each line is a card. */
export function AuditTable({ rows }: { readonly rows: readonly Line[] }) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const whoText = useWhoText();
  const isPhone = useMedia(phoneQuery);
  const [open, setOpen] = useState<Line | null>(null);
  const [place, height] = useRestHeight(360, isPhone ? 60 : 110);
  const columns: TableColumnsType<Line> = [
    {
      title: say.time,
      dataIndex: 'time',
      width: 170,
      render: (time: number) => <span className="kit-number">{formats.dateTime(time)}</span>,
    },
    { title: say.who, dataIndex: 'who', width: 130, ellipsis: true, render: (who: string) => whoText(who) },
    {
      title: say.what,
      dataIndex: 'what',
      width: 280,
      ellipsis: true,
      render: (what: string, line) => {
        const { deed, about } = deedOf(what, language);
        return (
          <button type="button" className="audit-open" onClick={() => setOpen(line)}>
            <strong>{deed}</strong> {about}
          </button>
        );
      },
    },
    {
      title: say.why,
      dataIndex: 'why',
      width: 160,
      ellipsis: true,
      render: (why: string) => outcomeText(why, language),
    },
    {
      title: say.result,
      dataIndex: 'result',
      width: 220,
      ellipsis: true,
      render: (result: string) => <Result result={result} />,
    },
    { title: say.from, dataIndex: 'from', width: 120, ellipsis: true },
  ];
  return (
    <div ref={place}>
      {isPhone ? (
        <VirtualList
          label={say.list}
          items={rows}
          rowHeight={84}
          height={height}
          keyOf={({ seq }) => String(seq)}
          render={(line) => <LineCard line={line} onOpen={() => setOpen(line)} />}
        />
      ) : (
        <VirtualTable columns={columns} rows={rows} rowKey="seq" height={height} minWidth={1_040} />
      )}
      <Drawer
        title={say.details}
        open={open !== null}
        onClose={() => setOpen(null)}
        size={isPhone ? '100%' : 480}
        closable={{ 'aria-label': say.close }}
      >
        {open !== null && <LineFacts line={open} />}
      </Drawer>
    </div>
  );
}

/** What was refused is seen among many lines. */
function Result({ result }: { readonly result: string }) {
  const language = useLanguage();
  const text = outcomeText(result, language);
  if (!/^(?:refused|locked|failed)\b/.test(result)) return text;
  return (
    <span className="audit-refused">
      <SignIcon sign="cross" size={10} /> {text}
    </span>
  );
}

function LineCard({ line, onOpen }: { readonly line: Line; readonly onOpen: () => void }) {
  const language = useLanguage();
  const formats = useFormats();
  const whoText = useWhoText();
  const { deed, about } = deedOf(line.what, language);
  return (
    <button type="button" className="audit-card" onClick={onOpen}>
      <span>
        <strong>{deed}</strong> {about}
      </span>
      <span>
        <Result result={line.result} />
      </span>
      <span className="kit-soft">
        {formats.dateTime(line.time)} · {whoText(line.who)}
      </span>
    </button>
  );
}

function LineFacts({ line }: { readonly line: Line }) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const whoText = useWhoText();
  const { deed, about } = deedOf(line.what, language);
  const { seq, time, who, from, what, why, result } = line;
  return (
    <>
      <h3 className="audit-deed">{deed}</h3>
      <Facts
        facts={[
          [say.number, String(seq)],
          [say.time, formats.dateTime(time)],
          [say.who, whoText(who)],
          [say.from, from],
          [say.object, about],
          [say.why, outcomeText(why, language)],
          [say.result, outcomeText(result, language)],
        ]}
      />
      <h3>{say.writing}</h3>
      <Facts
        facts={[
          [say.who, who],
          [say.what, what],
          [say.why, why],
          [say.result, result],
        ]}
      />
    </>
  );
}

function Facts({ facts }: { readonly facts: readonly (readonly [name: string, text: string])[] }) {
  return (
    <dl className="audit-facts">
      {facts.map(([name, text]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{text === '' ? '—' : text}</dd>
        </div>
      ))}
    </dl>
  );
}
