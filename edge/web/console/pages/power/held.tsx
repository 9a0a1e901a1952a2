import { App, Button } from 'antd';
import { useState } from 'react';
import { api, errorText, type RequestResult } from '../../api.ts';
import { domainText } from '../../domain-words.ts';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { now, useTicking } from '../../kit/ticker.ts';
import { useRight } from '../../session.tsx';
import { useLink, useOutputs } from '../../use-live.tsx';
import { decisionAt, manualOf } from './hold.ts';
import { inOneLine, shortMoment } from './reasons.ts';
import type { Row } from './rows.ts';
import { useStateText } from './state-text.ts';
import { useSpeech } from './use-power.ts';
import { words } from './words.ts';

/** What people hold for a while of the circuits here, each with what is left of it. */
export function Held({ rows, hrefOf }: { readonly rows: readonly Row[]; readonly hrefOf: (ref: string) => string }) {
  const say = useWords(words);
  const outputs = new Map(useOutputs().map((output) => [output.ref, output]));
  const held = rows.filter(({ ref }) => manualOf(outputs.get(ref)) !== null);
  if (held.length === 0) return null;
  return (
    <section className="kit-panel power-held" aria-label={say.held}>
      <h2>
        <SignIcon sign="clock" size={15} /> {say.heldTitle(held.length)}
      </h2>
      <ul>
        {held.map((row) => {
          const hold = manualOf(outputs.get(row.ref));
          return hold === null ? null : (
            <li key={row.ref} data-held={row.ref}>
              <a href={hrefOf(row.ref)}>{row.title}</a>
              <HoldFacts row={row} hold={hold} />
              <EndHold row={row} isSmall />
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function HoldFacts({ row, hold }: { readonly row: Row; readonly hold: NonNullable<ReturnType<typeof manualOf>> }) {
  const say = useWords(words);
  const formats = useFormats();
  const stateOf = useStateText();
  const { until } = hold;
  const left = useTicking((time) => (until === null ? '' : formats.duration(Math.max(0, until - time))));
  return (
    <span className="power-held-facts">
      {until !== null && say.heldShort(stateOf(row, hold.value).text, shortMoment(until, now(), formats))}
      {until !== null && <span className="kit-soft"> {say.heldLeft(left)}</span>}
      {hold.reason !== '' && <span className="kit-soft"> · {hold.reason}</span>}
    </span>
  );
}

/** Ends what a person holds, before its time. */
export function EndHold({ row, isSmall = false }: { readonly row: Row; readonly isSmall?: boolean }) {
  const say = useWords(words);
  const language = useLanguage();
  const mayOperate = useRight('operate');
  const { state } = useLink();
  const { message } = App.useApp();
  const [isOpen, setOpen] = useState(false);
  if (!mayOperate) return null;
  return (
    <>
      <Button
        size={isSmall ? 'small' : 'middle'}
        disabled={state !== 'live'}
        onClick={() => setOpen(true)}
        data-act="end-hold"
      >
        {say.end}
      </Button>
      <ReasonDialog
        open={isOpen}
        title={say.endTitle(row.title)}
        action={say.end}
        reasonRequired={false}
        sayError={(error) => errorText(error, language)}
        onConfirm={async ({ reason }) => {
          const body = { point: row.ref, value: null, seconds: 1, reason: reason === '' ? say.endReason : reason };
          const result = await api.post<RequestResult>('requests', body);
          if (result.accepted) void message.success(say.ended);
          else void message.error(domainText('outcome', result.outcome, language));
        }}
        onClose={() => setOpen(false)}
      >
        <p>
          {say.endHelp} <Afterwards row={row} time={now()} />
        </p>
      </ReasonDialog>
    </>
  );
}

/** What becomes of it at a moment when nobody holds it by hand any more. */
export function Afterwards({ row, time }: { readonly row: Row; readonly time: number }) {
  const say = useWords(words);
  const speech = useSpeech();
  const stateOf = useStateText();
  if (row.circuit === null) return <>{say.afterNobody}</>;
  const decision = decisionAt(row.circuit, time);
  return (
    <>
      {say.afterSchedule(stateOf(row, decision.value).text)} {inOneLine(decision.why, speech)}
    </>
  );
}
