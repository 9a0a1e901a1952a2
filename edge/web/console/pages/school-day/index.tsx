import { PageHeader } from '../../kit/frame.tsx';
import { useWords } from '../../kit/language.tsx';
import { words } from './words.ts';

/** `#/school-day`: what the school day is today, and what its plan says of the days to come. */
export function Page() {
  const say = useWords(words);
  return (
    <div className="schoolday">
      <PageHeader title={say.title} about={say.about} />
    </div>
  );
}
