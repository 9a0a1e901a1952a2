import { App, Button, Checkbox, Input, Modal } from 'antd';
import { useId, useState } from 'react';
import { api, errorText } from '../../api.ts';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { useShortcut } from '../../kit/shortcuts.tsx';
import { now } from '../../kit/ticker.ts';
import { useRight } from '../../session.tsx';
import type { CameraView } from '../../use-cameras.ts';
import { useProblemText } from './problems.ts';
import { useFootageTexts } from './texts.ts';
import type { Selection } from './timeline.tsx';
import type { ExportWish } from './use-exports.ts';
import { words } from './words.ts';

export interface SelectionBarProps {
  readonly cameras: readonly CameraView[];
  readonly selection: Selection;
  /** Of the clock, now. */
  readonly timeOf: () => number;
  readonly onChange: (selection: Selection) => void;
  /** Throws ApiError. */
  readonly onExport: (wish: ExportWish) => Promise<void>;
  readonly onSaved: () => void;
}

/** A stretch of time that somebody marks, and what can be done with it. */
export function SelectionBar({ cameras, selection, timeOf, onChange, onExport, onSaved }: SelectionBarProps) {
  const say = useWords(words);
  const formats = useFormats();
  const { lengthText } = useFootageTexts();
  const mayTake = useRight('evidence');
  const mayMark = useRight('incidents');
  const [asking, setAsking] = useState<'bookmark' | 'export' | null>(null);
  const { from, to } = selection;
  // Whichever way round they were marked.
  const markFrom = () => onChange({ from: Math.round(timeOf()), to: to !== null && to <= timeOf() ? null : to });
  const markTo = () => onChange({ to: Math.round(timeOf()), from: from !== null && from >= timeOf() ? null : from });
  useShortcut('i', say.markFrom, markFrom);
  useShortcut('o', say.markTo, markTo);
  if (!mayTake && !mayMark) return null;
  const moment = (time: number) => formats.moment(time, now());
  const whole = from !== null && to !== null ? { from, to } : null;
  return (
    <section className="footage-selection" aria-label={say.stretch}>
      <Button data-act="mark-from" onClick={markFrom}>
        {say.markFrom} <kbd>I</kbd>
      </Button>
      <Button data-act="mark-to" onClick={markTo}>
        {say.markTo} <kbd>O</kbd>
      </Button>
      <span className="footage-stretch kit-number" data-stretch={whole === null ? '' : whole.to - whole.from}>
        {whole !== null &&
          say.stretchOf(moment(whole.from), formats.clock(whole.to), lengthText(whole.to - whole.from))}
        {whole === null && from !== null && say.onlyFrom(moment(from))}
        {whole === null && to !== null && say.onlyTo(moment(to))}
      </span>
      {(from !== null || to !== null) && (
        <Button data-act="clear" onClick={() => onChange({ from: null, to: null })}>
          {say.clear}
        </Button>
      )}
      {whole !== null && mayMark && (
        <Button data-act="bookmark" onClick={() => setAsking('bookmark')}>
          {say.bookmark}
        </Button>
      )}
      {whole !== null && mayTake && (
        <Button type="primary" data-act="export" onClick={() => setAsking('export')}>
          {say.export}
        </Button>
      )}
      {whole !== null && asking === 'bookmark' && (
        <BookmarkDialog cameras={cameras} span={whole} onSaved={onSaved} onClose={() => setAsking(null)} />
      )}
      {whole !== null && asking === 'export' && (
        <ExportDialog cameras={cameras} span={whole} onExport={onExport} onClose={() => setAsking(null)} />
      )}
    </section>
  );
}

interface Span {
  readonly from: number;
  readonly to: number;
}

function Which({ cameras, span: { from, to } }: { readonly cameras: readonly CameraView[]; readonly span: Span }) {
  const say = useWords(words);
  const formats = useFormats();
  const name = useName();
  const { lengthText } = useFootageTexts();
  return (
    <p>
      <b>{cameras.map((camera) => name(camera.name)).join(' · ')}</b>
      <br />
      <span className="kit-number">
        {say.stretchOf(formats.dateTime(from), formats.clock(to), lengthText(to - from))}
      </span>
    </p>
  );
}

function ExportDialog({
  cameras,
  span,
  onExport,
  onClose,
}: {
  readonly cameras: readonly CameraView[];
  readonly span: Span;
  readonly onExport: (wish: ExportWish) => Promise<void>;
  readonly onClose: () => void;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const problemText = useProblemText();
  const maySeeAll = useRight('unmasked');
  const [isUnmasked, setUnmasked] = useState(false);
  const ids = cameras.map(({ id }) => id);
  return (
    <ReasonDialog
      open
      title={say.exportTitle}
      action={say.export}
      sayError={(error) => problemText(error) ?? errorText(error, language)}
      onConfirm={({ reason }) => onExport({ cameras: ids, ...span, unmasked: isUnmasked, why: reason })}
      onClose={onClose}
    >
      <Which cameras={cameras} span={span} />
      <p className="kit-soft">
        {say.exportHelp} {isUnmasked ? '' : say.exportMasked}
      </p>
      {maySeeAll && (
        <Checkbox checked={isUnmasked} onChange={({ target }) => setUnmasked(target.checked)}>
          {say.unmasked}
        </Checkbox>
      )}
    </ReasonDialog>
  );
}

function BookmarkDialog({
  cameras,
  span,
  onSaved,
  onClose,
}: {
  readonly cameras: readonly CameraView[];
  readonly span: Span;
  readonly onSaved: () => void;
  readonly onClose: () => void;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const problemText = useProblemText();
  const { message } = App.useApp();
  const id = useId();
  const [note, setNote] = useState('');
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    try {
      // One after the other: what was saved before one failed is said by the timeline.
      for (const camera of cameras) await api.post('clips', { camera: camera.id, ...span, note });
      void message.success(say.bookmarked(cameras.length));
      onSaved();
      onClose();
    } catch (error) {
      setProblem(problemText(error) ?? errorText(error, language));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal
      open
      title={say.bookmarkTitle}
      okText={say.save}
      cancelText={say.cancel}
      okButtonProps={{ loading: isBusy }}
      onOk={() => void save()}
      onCancel={onClose}
    >
      <div className="kit-form">
        <Which cameras={cameras} span={span} />
        <p className="kit-soft">{say.bookmarkHelp}</p>
        <div className="kit-field">
          <label htmlFor={id}>{say.bookmarkNote}</label>
          <Input
            id={id}
            value={note}
            maxLength={200}
            onChange={({ target }) => setNote(target.value)}
            onPressEnter={() => void save()}
          />
        </div>
        <p className="kit-form-error" role="alert">
          {problem}
        </p>
      </div>
    </Modal>
  );
}
