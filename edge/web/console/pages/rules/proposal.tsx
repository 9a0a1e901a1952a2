import { App, Button } from 'antd';
import { useState } from 'react';
import { api } from '../../api.ts';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { useSession } from '../../session.tsx';
import { Difference } from './difference.tsx';
import { ruleProblem, whoText, whyText } from './problem-text.ts';
import { useMayApprove } from './rights.ts';
import { type Act, type RuleView, useRefreshRules } from './rules-api.ts';
import { words } from './words.ts';

/** What the second person decides about: who wants what, why, and every difference to what runs now. */
export function Proposal({
  rule,
  proposal,
}: {
  readonly rule: RuleView;
  readonly proposal: NonNullable<RuleView['proposal']>;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const { version, by, time, why } = proposal;
  const bodyOf = (number: number | null) => rule.versions.find((one) => one.version === number)?.body ?? null;
  return (
    <Panel title={say.proposal} className="rules-proposal">
      <p className="rules-proposal-what">{version === null ? say.proposalOff : say.proposalVersion(String(version))}</p>
      <p>
        {say.proposedBy(whoText(by, language), formats.dateTime(time))} · {say.proposalWhy(whyText(why, language))}
      </p>
      <h3>{say.exactChange}</h3>
      <Difference before={bodyOf(rule.active)} after={version === null ? null : bodyOf(version)} />
      <Decide rule={rule} proposal={proposal} />
    </Panel>
  );
}

function Decide({ rule, proposal }: { readonly rule: RuleView; readonly proposal: NonNullable<RuleView['proposal']> }) {
  const say = useWords(words);
  const language = useLanguage();
  const session = useSession();
  const mayApprove = useMayApprove();
  const refresh = useRefreshRules();
  const { message } = App.useApp();
  const [asked, setAsked] = useState<'approve' | 'reject' | null>(null);
  const isOwn = proposal.by === `person:${session.id}`;
  if (!mayApprove) return <p className="kit-soft">{say.noSafetyRight}</p>;
  const decide = async (act: 'approve' | 'reject', why: string) => {
    const { version, digest } = proposal;
    await api.post<Act>(`rules/${rule.id}/${act}`, { version, digest, why }, { patience: 60_000 });
    void message.success(act === 'approve' ? say.approved : say.rejected);
    await refresh();
  };
  return (
    <>
      <div className="kit-actions">
        <Button type="primary" disabled={isOwn} aria-describedby="rules-own" onClick={() => setAsked('approve')}>
          {say.approve}
        </Button>
        <Button onClick={() => setAsked('reject')}>{say.reject}</Button>
      </div>
      <p id="rules-own" className="kit-soft">
        {isOwn ? say.ownProposal : ''}
      </p>
      {asked !== null && (
        <ReasonDialog
          open
          title={asked === 'approve' ? say.approveTitle : say.rejectTitle}
          action={asked === 'approve' ? say.approve : say.reject}
          isDangerous={asked === 'reject'}
          sayError={(error) => ruleProblem(error, language)}
          onConfirm={({ reason }) => decide(asked, reason)}
          onClose={() => setAsked(null)}
        >
          <p>{asked === 'approve' ? say.approveHelp : say.rejectHelp}</p>
        </ReasonDialog>
      )}
    </>
  );
}
