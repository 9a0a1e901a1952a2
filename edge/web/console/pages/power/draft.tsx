import { Button } from 'antd';
import type { ReactNode } from 'react';
import { goTo, hashOf } from '../../address.ts';
import { errorDetail, errorText } from '../../api.ts';
import { type Tone, ToneBadge } from '../../kit/badges.tsx';
import { PageHeader } from '../../kit/frame.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { useRestHeight } from '../../kit/rest-height.ts';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { now } from '../../kit/ticker.ts';
import { VirtualList } from '../../kit/virtual-list.tsx';
import { useSession } from '../../session.tsx';
import { type EditSay, editWords } from './edit-words.ts';
import { isSame } from './merge.ts';
import { PowerIcon } from './power-icon.tsx';
import { type PowerBody, powerOf } from './shapes.ts';
import { useDateOf, useEntries, useWeeks } from './use-power.ts';
import { words } from './words.ts';
import './edit.css';

/** Whether an entry of the draft is what runs. */
type Standing = 'same' | 'changed' | 'new' | 'removed';

interface Line {
  readonly id: string;
  readonly power: PowerBody;
  readonly standing: Standing;
  readonly isWrong: boolean;
}

const tones: Readonly<Record<Standing, Tone>> = { same: 'good', changed: 'wait', new: 'wait', removed: 'bad' };

/** The circuits of the draft, and how each stands to what is signed. */
export function Draft({ tabs }: { readonly tabs: ReactNode }) {
  const say = useWords(words);
  const edit = useWords(editWords);
  const language = useLanguage();
  const isPhone = useMedia(phoneQuery);
  const [list, height] = useRestHeight(280);
  const today = useDateOf()(now());
  const entries = useEntries();
  const signed = useWeeks('signed', today, today);
  const { zones } = useSession();
  const known = new Map(
    signed.data?.circuits.flatMap(({ entry, power }) => {
      const body = powerOf(power);
      return body === null ? [] : [[entry, body] as const];
    }),
  );
  if (entries.isError)
    return (
      <ErrorState
        message={errorText(entries.error, language)}
        detail={errorDetail(entries.error)}
        onRetry={() => void entries.refetch()}
      />
    );
  if (entries.isPending || signed.isPending) return <PageSkeleton />;
  const lines = linesOf(entries.data, known);
  const open = lines.filter(({ standing }) => standing !== 'same').length;
  return (
    <div className="power">
      <PageHeader title={say.title} about={edit.draftAbout} actions={tabs} />
      <div className="power-draft-bar">
        {zones === 'all' && (
          <Button type="primary" onClick={() => goTo(hashOf('/power/edit/new'))} data-act="add">
            {edit.add}
          </Button>
        )}
        <p role="status">
          {open === 0 ? edit.allSigned : <strong>{edit.toSign(open)}</strong>}{' '}
          {open > 0 && <a href="#/school-day">{edit.signLink}</a>}
        </p>
      </div>
      <section className="kit-panel power-draft" ref={list} style={{ height }}>
        {lines.length === 0 ? (
          <EmptyState title={edit.none}>{edit.noneHelp}</EmptyState>
        ) : (
          <VirtualList
            label={edit.list}
            items={lines}
            rowHeight={isPhone ? 104 : 64}
            keyOf={({ id }) => id}
            render={(line) => <DraftLine line={line} />}
          />
        )}
      </section>
    </div>
  );
}

function linesOf(
  { entries, mistakes }: NonNullable<ReturnType<typeof useEntries>['data']>,
  signed: ReadonlyMap<string, PowerBody>,
): Line[] {
  const wrong = new Set(mistakes.filter(({ weight }) => weight === 'mistake').map(({ entry }) => entry));
  const lines = entries.flatMap(({ id, body }): Line[] => {
    const power = powerOf(body);
    if (power === null) return [];
    const other = signed.get(id);
    const standing = other === undefined ? 'new' : isSame(other, power) ? 'same' : 'changed';
    return [{ id, power, standing, isWrong: wrong.has(id) }];
  });
  const ids = new Set(lines.map(({ id }) => id));
  const removed = [...signed].filter(([id]) => !ids.has(id));
  return [...lines, ...removed.map(([id, power]): Line => ({ id, power, standing: 'removed', isWrong: false }))].sort(
    (a, b) => a.power.name.zh.localeCompare(b.power.name.zh, 'zh', { numeric: true }),
  );
}

function DraftLine({ line: { id, power, standing, isWrong } }: { readonly line: Line }) {
  const edit = useWords(editWords);
  const name = useName();
  const label = {
    same: edit.sameAsSigned,
    changed: edit.changedSince,
    new: edit.notSigned,
    removed: edit.removedSince,
  };
  const inside = (
    <>
      <span className="power-row-icon">
        <PowerIcon kind={power.kind} />
      </span>
      <span className="power-row-words">
        <strong>{name(power.name)}</strong>
        <span className="kit-soft power-row-why">
          {whenText(power, edit)} · {edit.outputsCount(power.outputs.length)}
        </span>
      </span>
      <span className="power-draft-state">
        {isWrong && <ToneBadge tone="bad">{edit.mistake}</ToneBadge>}
        <ToneBadge tone={tones[standing]}>{label[standing]}</ToneBadge>
      </span>
    </>
  );
  if (standing === 'removed')
    return (
      <span className="power-row" data-draft={id}>
        {inside}
      </span>
    );
  return (
    <a className="power-row" href={hashOf(`/power/edit/${id}`)} data-draft={id} data-standing={standing}>
      {inside}
    </a>
  );
}

function whenText({ slots, weekly }: PowerBody, edit: EditSay): string {
  const parts = [
    ...(slots === null ? [] : [edit.bySlots(slots.kinds.map((kind) => edit[`slot:${kind}`]).join(' '))]),
    ...(weekly.length === 0 ? [] : [edit.byWeek(weekly.length)]),
  ];
  return parts.length === 0 ? edit.byNothing : parts.join(' · ');
}
