import { useInfiniteQuery } from '@tanstack/react-query';
import { Button, Segmented } from 'antd';
import { useState } from 'react';
import { api, errorDetail, errorText, query } from '../../api.ts';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { JournalLine } from './journal-line.tsx';
import { fresh, type JournalEntry, type RuleView } from './rules-api.ts';
import { useVocabulary } from './vocabulary.ts';
import { words } from './words.ts';

const pageOf = 50;

/** What the rule decided, newest first, with what it saw: what it did, and what its shadow would have done. */
export function Journal({ rule }: { readonly rule: RuleView }) {
  const say = useWords(words);
  const language = useLanguage();
  const vocabulary = useVocabulary();
  const [shadow, setShadow] = useState<'' | 'false' | 'true'>('');
  const pages = useInfiniteQuery({
    queryKey: ['rules', rule.id, 'journal', shadow],
    queryFn: ({ pageParam, signal }) =>
      api.get<readonly JournalEntry[]>(
        `rules/${rule.id}/journal${query({ limit: pageOf, before: pageParam, shadow })}`,
        signal,
      ),
    initialPageParam: null as number | null,
    getNextPageParam: (last) => (last.length < pageOf ? null : (last.at(-1)?.seq ?? null)),
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) > 1 ? false : fresh),
  });
  if (pages.isPending) return <PageSkeleton />;
  if (pages.isError) {
    const { error } = pages;
    return (
      <ErrorState
        message={errorText(error, language)}
        detail={errorDetail(error)}
        onRetry={() => void pages.refetch()}
      />
    );
  }
  const lines = pages.data.pages.flat();
  return (
    <>
      <Segmented<'' | 'false' | 'true'>
        aria-label={say.journalKinds}
        value={shadow}
        onChange={setShadow}
        options={[
          { value: '', label: say.bothKinds },
          { value: 'false', label: say.onlyReal },
          { value: 'true', label: say.onlyShadow },
        ]}
      />
      <div className="kit-panel rules-journal">
        {lines.length === 0 && <EmptyState title={say.journalNone}>{say.journalNoneHelp}</EmptyState>}
        {lines.map((line) => (
          <JournalLine key={line.seq} line={line} vocabulary={vocabulary} />
        ))}
        {pages.hasNextPage && (
          <p className="rules-earlier">
            <Button loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
              {say.earlier}
            </Button>
          </p>
        )}
      </div>
    </>
  );
}
