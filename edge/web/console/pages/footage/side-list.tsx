import { useMemo } from 'react';
import { hashOf } from '../../address.ts';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import { EmptyState } from '../../kit/states.tsx';
import { VirtualList } from '../../kit/virtual-list.tsx';
import { useDeviceName } from '../../names.ts';
import { markSign } from './mark-row.tsx';
import type { Mark } from './marks.ts';
import type { Scale } from './scale.ts';
import { useFootageTexts } from './texts.ts';
import { words } from './words.ts';

const rowHeight = 56;

/** What happened in the time that the timeline shows, the latest first: a row goes there, an incident can be opened. */
export function SideList({
  marks,
  cameras,
  scale,
  isCut,
  onGo,
}: {
  readonly marks: readonly Mark[];
  readonly cameras: readonly string[];
  readonly scale: Scale;
  readonly isCut: boolean;
  readonly onGo: (time: number) => void;
}) {
  const say = useWords(words);
  const { from, span } = scale;
  const shown = useMemo(
    () => marks.filter(({ time }) => time >= from && time < from + span).toReversed(),
    [marks, from, span],
  );
  return (
    <section className="footage-side kit-panel" aria-label={say.happenings}>
      <header>
        <h2>{say.happenings}</h2>
        <span className="kit-soft">{say.happeningsOf(shown.length)}</span>
      </header>
      {isCut && <p className="footage-cut kit-soft">{say.unlisted}</p>}
      {shown.length === 0 ? (
        <EmptyState title={say.noHappenings}>{say.noHappeningsHelp}</EmptyState>
      ) : (
        <div className="footage-rows">
          <VirtualList
            label={say.happenings}
            items={shown}
            rowHeight={rowHeight}
            keyOf={({ id }) => id}
            render={(mark) => <Row mark={mark} cameras={cameras} onGo={onGo} />}
          />
        </div>
      )}
    </section>
  );
}

function Row({
  mark,
  cameras,
  onGo,
}: {
  readonly mark: Mark;
  readonly cameras: readonly string[];
  readonly onGo: (time: number) => void;
}) {
  const say = useWords(words);
  const formats = useFormats();
  const deviceName = useDeviceName();
  const { markText } = useFootageTexts();
  const text = markText(mark);
  const names = mark.cameras.filter((id) => cameras.includes(id)).map(deviceName);
  return (
    <div className="footage-row" data-row={mark.id} data-kind={mark.kind} data-class={mark.class ?? ''}>
      <button type="button" className="footage-row-go" onClick={() => onGo(mark.time)}>
        <SignIcon sign={markSign(mark)} />
        <span className="footage-row-text">
          <span>
            <b className="kit-number">{formats.clock(mark.time)}</b> {text}
          </span>
          <span className="kit-soft">{names.join(' · ')}</span>
          <span className="kit-unseen">{say.goTo}</span>
        </span>
      </button>
      {mark.kind === 'incident' && (
        <a className="footage-row-open" href={hashOf(`/incidents/${mark.id}`)}>
          {say.openIncident}
        </a>
      )}
    </div>
  );
}
