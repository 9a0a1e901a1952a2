import { Drawer, type TableColumnsType } from 'antd';
import { useState } from 'react';
import type { AuditPage } from '../../../system-schemas.ts';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { VirtualList } from '../../kit/virtual-list.tsx';
import { VirtualTable } from '../../kit/virtual-table.tsx';
import { useOwnerText } from '../../names.ts';
import { deedOf } from './deeds.ts';
import { words } from './words.ts';

type Line = AuditPage['lines'][number];

/** Newest first; a line opens in a drawer with everything that was written. On a phone each line is a card. */
export function AuditTable({ rows }: { readonly rows: readonly Line[] }) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const ownerText = useOwnerText();
  const isPhone = useMedia(phoneQuery);
  const [open, setOpen] = useState<Line | null>(null);
  const columns: TableColumnsType<Line> = [
    { title: say.time, dataIndex: 'time', width: 170, render: (time: number) => formats.dateTime(time) },
    { title: say.who, dataIndex: 'who', width: 180, ellipsis: true, render: (who: string) => ownerText(who) },
    {
      title: say.what,
      dataIndex: 'what',
      width: 320,
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
    { title: say.why, dataIndex: 'why', width: 200, ellipsis: true },
    { title: say.result, dataIndex: 'result', width: 260, ellipsis: true },
    { title: say.from, dataIndex: 'from', width: 130, ellipsis: true },
  ];
  return (
    <>
      {isPhone ? (
        <VirtualList
          label={say.list}
          items={rows}
          rowHeight={84}
          height={520}
          keyOf={({ seq }) => String(seq)}
          render={(line) => <LineCard line={line} onOpen={() => setOpen(line)} />}
        />
      ) : (
        <VirtualTable columns={columns} rows={rows} rowKey="seq" height={480} minWidth={1_180} />
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
    </>
  );
}

function LineCard({ line, onOpen }: { readonly line: Line; readonly onOpen: () => void }) {
  const language = useLanguage();
  const formats = useFormats();
  const ownerText = useOwnerText();
  const { deed, about } = deedOf(line.what, language);
  return (
    <button type="button" className="audit-card" onClick={onOpen}>
      <span>
        <strong>{deed}</strong> {about}
      </span>
      <span>{line.result}</span>
      <span className="kit-soft">
        {formats.dateTime(line.time)} · {ownerText(line.who)}
      </span>
    </button>
  );
}

function LineFacts({ line }: { readonly line: Line }) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const { deed } = deedOf(line.what, language);
  const facts: readonly (readonly [string, string])[] = [
    [say.number, String(line.seq)],
    [say.time, formats.dateTime(line.time)],
    [say.who, line.who],
    [say.from, line.from],
    [say.what, deed],
    [say.raw, line.what],
    [say.why, line.why],
    [say.result, line.result],
  ];
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
