import type { EnergyPlanView } from '../../../energy-schemas.ts';
import { useWords } from '../../kit/language.tsx';
import { EmptyState } from '../../kit/states.tsx';
import { useSentence } from '../../names.ts';
import { useSession } from '../../session.tsx';
import { energySample } from './sample.ts';
import { words } from './words.ts';

/** Nothing is metered: how to begin. Who sees some zones only may simply see none of what there is. */
export function Nothing({ plan }: { readonly plan: EnergyPlanView }) {
  const say = useWords(words);
  const sample = useWords(energySample);
  const { zones } = useSession();
  if (zones !== 'all') {
    return (
      <div className="kit-panel">
        <EmptyState title={say.noneElsewhere} />
      </div>
    );
  }
  return (
    <>
      <Problems problems={plan.problems} />
      <div className="kit-panel energy-none">
        <h2>{say.none}</h2>
        <p>{say.noneHelp}</p>
        <figure>
          <figcaption>{say.noneSample}</figcaption>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: on a phone it is wider than the page and scrolls by itself. */}
          <pre tabIndex={0}>{sample.text}</pre>
        </figure>
        <p className="kit-soft">{say.noneDocs}</p>
      </div>
    </>
  );
}

/** What the site file says and cannot be. */
export function Problems({ problems }: { readonly problems: readonly string[] }) {
  const say = useWords(words);
  const sentence = useSentence();
  if (problems.length === 0) return null;
  return (
    <details className="kit-panel energy-problems" open>
      <summary>{say.problems(String(problems.length))}</summary>
      <ul>
        {problems.map((problem) => (
          <li key={problem}>{sentence(problem)}</li>
        ))}
      </ul>
    </details>
  );
}
