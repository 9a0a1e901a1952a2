import { useInfiniteQuery } from '@tanstack/react-query';
import { Button, Checkbox, Input, Select } from 'antd';
import { useState } from 'react';
import type { LogView } from '../../../system-schemas.ts';
import { api, errorDetail, errorText, query } from '../../api.ts';
import { domainText } from '../../domain-words.ts';
import { type Tone, ToneBadge } from '../../kit/badges.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useProcesses } from '../../use-live.tsx';
import { words } from './words.ts';

type Line = LogView['lines'][number];
type Level = Line['level'];

/** Each means itself and what is worse. */
const levels: readonly Level[] = ['error', 'warn', 'info', 'debug'];
const tones: Readonly<Record<Level, Tone>> = { error: 'bad', warn: 'wait', info: 'plain', debug: 'plain' };

/** What the processes wrote, newest first. Text from flows and devices is shown as text. */
export function LogsTab() {
  const say = useWords(words);
  const language = useLanguage();
  const processes = useProcesses();
  const [process, setProcess] = useState('');
  const [level, setLevel] = useState<Level>('info');
  const [text, setText] = useState('');
  const [isFollowing, setFollowing] = useState(false);
  const logs = useInfiniteQuery({
    queryKey: ['logs', process, level],
    queryFn: ({ pageParam, signal }) =>
      api.get<LogView>(`logs${query({ process, level, before: pageParam, limit: 200 })}`, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.before,
    refetchInterval: isFollowing ? 3_000 : false,
  });
  const labels: Readonly<Record<Level, string>> = {
    error: say.error,
    warn: say.atLeast(say.warn),
    info: say.atLeast(say.info),
    debug: say.everyLevel,
  };
  const wanted = text.trim().toLowerCase();
  const lines = (logs.data?.pages.flatMap((page) => page.lines) ?? []).filter(
    (line) => wanted === '' || `${line.message} ${JSON.stringify(line.fields)}`.toLowerCase().includes(wanted),
  );
  return (
    <>
      <div className="system-filter">
        <div className="kit-field">
          <label htmlFor="log-process">{say.process}</label>
          <Select
            id="log-process"
            value={process}
            onChange={setProcess}
            options={[
              { value: '', label: say.everyProcess },
              ...[{ name: 'supervisor' }, ...processes].map(({ name }) => ({
                value: name,
                label: domainText('process', name, language),
              })),
            ]}
          />
        </div>
        <div className="kit-field">
          <label htmlFor="log-level">{say.level}</label>
          <Select<Level>
            id="log-level"
            value={level}
            onChange={setLevel}
            options={levels.map((one) => ({ value: one, label: labels[one] }))}
          />
        </div>
        <div className="kit-field">
          <label htmlFor="log-text">{say.text}</label>
          <Input
            id="log-text"
            allowClear
            value={text}
            placeholder={say.textHelp}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
        <Checkbox checked={isFollowing} onChange={(event) => setFollowing(event.target.checked)}>
          {say.follow}
        </Checkbox>
        <span className="kit-soft system-lines">{say.linesShown(lines.length)}</span>
      </div>
      {logs.isPending && <PageSkeleton />}
      {logs.isError && (
        <ErrorState
          message={errorText(logs.error, language)}
          detail={errorDetail(logs.error)}
          onRetry={() => void logs.refetch()}
        />
      )}
      {logs.isSuccess && lines.length === 0 && <EmptyState title={say.logsNone}>{say.logsNoneHelp}</EmptyState>}
      <ol className="system-log" aria-label={say.logList}>
        {lines.map((line) => (
          <LogLine key={`${line.time} ${line.process} ${line.message} ${JSON.stringify(line.fields)}`} line={line} />
        ))}
      </ol>
      {logs.hasNextPage && (
        <Button loading={logs.isFetchingNextPage} onClick={() => void logs.fetchNextPage()}>
          {say.older}
        </Button>
      )}
    </>
  );
}

function LogLine({ line }: { readonly line: Line }) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const { time, level, process, message, fields } = line;
  const hasFields = Object.keys(fields).length > 0;
  return (
    <li data-level={level}>
      <span className="kit-number kit-soft">{formats.dateTime(time)}</span>
      <ToneBadge tone={tones[level]}>{say[level]}</ToneBadge>
      <span className="kit-soft">{domainText('process', process, language)}</span>
      <span className="system-message">{message}</span>
      {hasFields && (
        <details>
          <summary>{say.details}</summary>
          <pre>{JSON.stringify(fields, null, 2)}</pre>
        </details>
      )}
    </li>
  );
}
