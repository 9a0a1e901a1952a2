import { useMutation } from '@tanstack/react-query';
import { Button } from 'antd';
import type { AuditVerdict } from '../../../system-schemas.ts';
import { call, errorText } from '../../api.ts';
import { ToneBadge } from '../../kit/badges.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { words } from './words.ts';

/** A year of lines takes some seconds to check. */
const patience = 120_000;

/** Asks the server to compute every seal again, and says in words what it found. */
export function VerifyPanel() {
  const say = useWords(words);
  const language = useLanguage();
  const check = useMutation({
    mutationFn: async () => (await (await call('audit/verify', { patience })).json()) as AuditVerdict,
  });
  return (
    <section className="kit-panel audit-verify" aria-live="polite">
      <Button onClick={() => check.mutate()} loading={check.isPending}>
        {check.isPending ? say.verifying : say.verify}
      </Button>
      {check.isIdle && <p className="kit-soft">{say.verifyAbout}</p>}
      {check.isError && (
        <p className="kit-form-error" role="alert">
          {errorText(check.error, language)}
        </p>
      )}
      {check.data !== undefined && <Verdict verdict={check.data} />}
    </section>
  );
}

function Verdict({ verdict }: { readonly verdict: AuditVerdict }) {
  const say = useWords(words);
  const formats = useFormats();
  const { ok, lines, oldest, head, faults } = verdict;
  return (
    <div>
      <p>
        <ToneBadge tone={ok ? 'good' : 'bad'}>{ok ? say.intact : say.broken}</ToneBadge>{' '}
        {oldest === null ? say.empty : say.verdict(lines, formats.dateTime(oldest))}
      </p>
      {!ok && (
        <>
          <ul>
            {faults.map(({ seq, message }) => (
              <li key={`${seq} ${message}`}>
                {say.fault(seq)}: {message}
              </li>
            ))}
          </ul>
          <p>{say.brokenHelp}</p>
        </>
      )}
      <p className="kit-soft audit-head">
        {say.head}: <code>{head}</code>
      </p>
    </div>
  );
}
