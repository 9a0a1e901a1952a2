import { useAddress } from '../../address.ts';
import { errorDetail, errorText } from '../../api.ts';
import { PageHeader, Panel } from '../../kit/frame.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useRight } from '../../session.tsx';
import { Course } from './course.tsx';
import { useEmergencies } from './data.ts';
import { Past } from './past.tsx';
import { PlanCard } from './plan-card.tsx';
import { Story } from './story.tsx';
import { Warnings } from './warnings.tsx';
import { words } from './words.ts';
import './emergency.css';

/* `#/emergency`: what goes on and the buttons that begin it; `#/emergency/<id>`: one of them, also when it is long over. */

export function Page() {
  const { path } = useAddress();
  const id = path.split('/')[2] ?? '';
  return id === '' ? <Emergencies /> : <Story id={decodeURIComponent(id)} />;
}

function Emergencies() {
  const say = useWords(words);
  const language = useLanguage();
  const mayAct = useRight('emergency');
  const asked = useEmergencies();
  if (asked.isPending) return <PageSkeleton />;
  if (asked.isError) {
    const { error } = asked;
    const retry = () => void asked.refetch();
    return <ErrorState message={errorText(error, language)} detail={errorDetail(error)} onRetry={retry} />;
  }
  const { open, plans, past, pastProblem, warnings } = asked.data;
  return (
    <div className="emergency">
      <PageHeader title={say.title} about={open.length === 0 ? say.calm : say.about} />
      {open.map((one) => (
        <Course key={one.id} one={one} />
      ))}
      <Warnings warnings={warnings} />
      <Panel title={say.buttons}>
        <p className="kit-soft">{say.panelFirst}</p>
        {!mayAct && <p className="kit-soft">{say.mayNot}</p>}
        <div className="emergency-plans">
          {plans.map((plan) => (
            <PlanCard key={plan.kind} plan={plan} mayAct={mayAct} />
          ))}
        </div>
      </Panel>
      <Past past={past} problem={pastProblem} />
    </div>
  );
}
