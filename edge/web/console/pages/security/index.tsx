import { PageHeader } from '../../kit/frame.tsx';
import { useWords } from '../../kit/language.tsx';
import { EmptyState } from '../../kit/states.tsx';
import { words } from './words.ts';

export function Page() {
  const say = useWords(words);
  return (
    <>
      <PageHeader title={say.title} />
      <EmptyState title={say.empty}>{say.emptyHelp}</EmptyState>
    </>
  );
}
