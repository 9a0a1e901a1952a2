import type { AlarmView } from '../../api.ts';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { useFormats, useName, useWords } from '../../kit/language.tsx';
import { useSentence } from '../../names.ts';
import { type AlarmActs, shelveChoices } from './acts.ts';
import { words } from './words.ts';

/** Asks why and for how long; empty: closed. */
export function ShelveDialog({
  alarms,
  acts,
  onClose,
  onDone,
}: {
  readonly alarms: readonly AlarmView[];
  readonly acts: AlarmActs;
  readonly onClose: () => void;
  readonly onDone?: () => void;
}) {
  const say = useWords(words);
  const formats = useFormats();
  const name = useName();
  const sentence = useSentence();
  const [first] = alarms;
  const minutes = shelveChoices(alarms);
  const title =
    first !== undefined && alarms.length === 1
      ? say.shelveTitle(sentence(name(first.message)))
      : say.shelveTitleMany(alarms.length);
  return (
    <ReasonDialog
      open={first !== undefined}
      title={title}
      action={say.shelve}
      durations={minutes.map((one) => one * 60)}
      sayError={acts.sayError}
      onConfirm={async ({ reason, seconds }) => {
        await acts.shelve(alarms, seconds / 60, reason);
        onDone?.();
      }}
      onClose={onClose}
    >
      <p className="alarms-dialog-text">
        {say.shelveHelp} {say.shelveLimit(formats.duration((minutes.at(-1) ?? 0) * 60_000))}
      </p>
    </ReasonDialog>
  );
}
