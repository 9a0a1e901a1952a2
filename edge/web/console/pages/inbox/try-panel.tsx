import { Button } from 'antd';
import { useEffect, useRef, useState } from 'react';
import type { ProfileView, TryView } from '../../../place-schemas.ts';
import { api, errorDetail, errorText } from '../../api.ts';
import { QualityBadge } from '../../kit/badges.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { pointLabel, valueText } from '../../kit/values.ts';
import { useSentence } from '../../names.ts';
import { type Address, withoutEmpty } from './address-form.ts';
import { words } from './words.ts';

/** The server gives a device 20 s; the way there and back a little more, ms. */
const patience = 30_000;

/** Reads a device once and shows what it says, before anything is written anywhere. */
export function TryPanel({ profile, address }: { readonly profile: ProfileView; readonly address: Address }) {
  const say = useWords(words);
  const language = useLanguage();
  const running = useRef<AbortController | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [answer, setAnswer] = useState<TryView | null>(null);
  const [problem, setProblem] = useState('');
  useEffect(() => () => running.current?.abort(), []);
  if (profile.protocol === 'mqtt') return <p className="kit-soft">{say.tryMqtt}</p>;
  const run = async () => {
    const controller = new AbortController();
    running.current = controller;
    setBusy(true);
    setAnswer(null);
    setProblem('');
    try {
      const body = { profile: profile.id, address: withoutEmpty(address) };
      setAnswer(await api.post<TryView>('profiles/try', body, { patience, signal: controller.signal }));
    } catch (error) {
      if (!controller.signal.aborted) setProblem(`${errorText(error, language)} · ${errorDetail(error)}`);
    } finally {
      if (!controller.signal.aborted) setBusy(false);
    }
  };
  return (
    <div className="inbox-try">
      <div className="inbox-try-head">
        <Button onClick={() => void run()} loading={isBusy}>
          {say.try}
        </Button>
        <span className="kit-soft">{isBusy ? say.trying : say.tryHelp}</span>
      </div>
      <div aria-live="polite">
        {problem !== '' && <p className="kit-form-error">{problem}</p>}
        {answer !== null && <TryResult answer={answer} />}
      </div>
    </div>
  );
}

function TryResult({ answer }: { readonly answer: TryView }) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const sentence = useSentence();
  const known = answer.points.filter(({ value }) => value !== null).length;
  return (
    <div className="inbox-result" data-ok={answer.ok}>
      <p>
        <SignIcon sign={answer.ok ? 'dot' : 'cross'} />{' '}
        <strong>{answer.ok ? say.tryGood(known, `${formats.number(answer.ms / 1000, 1)} s`) : say.tryBad}</strong>
      </p>
      {answer.message !== '' && <p>{sentence(answer.message)}</p>}
      {answer.judgement !== undefined && <TryJudgement judgement={answer.judgement} />}
      {answer.ok && <p className="kit-soft">{say.tryCheck}</p>}
      {answer.points.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard.
        <section className="inbox-result-scroll" tabIndex={0} aria-label={say.tryValue}>
          <table>
            <thead>
              <tr>
                <th scope="col">{say.tryPoint}</th>
                <th scope="col">{say.tryValue}</th>
                <th scope="col">{say.tryQuality}</th>
              </tr>
            </thead>
            <tbody>
              {answer.points.map(({ point, label, value, unit, quality, reason }) => (
                <tr key={point}>
                  <th scope="row">{pointLabel(point, label, language)}</th>
                  <td className="kit-number">{valueText(value, unit, point, language)}</td>
                  <td>
                    <QualityBadge quality={quality} reason={reason} showGood />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </div>
  );
}

/** What cannot be in what it says, and which mistake would explain it. */
function TryJudgement({ judgement }: { readonly judgement: NonNullable<TryView['judgement']> }) {
  const say = useWords(words);
  const language = useLanguage();
  const { isJudged, suspicions, proposals } = judgement;
  if (suspicions.length === 0) return isJudged ? <p>{say.tryPlausible}</p> : null;
  const sure = { certain: say.trySureCertain, likely: say.trySureLikely, possible: say.trySurePossible };
  return (
    <div className="inbox-judgement">
      <p>
        <strong>{say.trySuspicious}</strong>
      </p>
      <ul>
        {suspicions.map(({ says }) => (
          <li key={says.en}>{says[language]}</li>
        ))}
      </ul>
      {proposals.length === 0 && <p>{say.tryNoProposal}</p>}
      {proposals.map((proposal) => (
        <details key={proposal.says.en}>
          <summary>
            <strong>{sure[proposal.sure]}</strong> {proposal.says[language]}
          </summary>
          <p className="kit-soft">{say.tryCompared}</p>
          <ul>
            {proposal.compared.map((one) => (
              <li key={one.en}>{one[language]}</li>
            ))}
          </ul>
          {proposal.profile !== '' && <pre>{proposal.profile}</pre>}
        </details>
      ))}
    </div>
  );
}
