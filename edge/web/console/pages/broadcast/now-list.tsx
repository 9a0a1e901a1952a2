import { useQueryClient } from '@tanstack/react-query';
import { App, Button } from 'antd';
import { useState } from 'react';
import { isEmergency } from '#edge/domain/broadcast.ts';
import { api, errorText } from '../../api.ts';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState } from '../../kit/states.tsx';
import { useRight } from '../../session.tsx';
import { askAnew, type ItemView, type Room, type StoppedView } from './data.ts';
import type { Selection } from './selection.ts';
import { usePhrases } from './sentences.ts';
import { SoundClassBadge } from './sound-class.tsx';
import { words } from './words.ts';

/** What plays, waits or is cut, the strongest first. */
export function NowList({
  items,
  rooms,
  selection,
}: {
  readonly items: readonly ItemView[];
  readonly rooms: readonly Room[];
  readonly selection: Selection;
}) {
  const say = useWords(words);
  const [stopping, setStopping] = useState<{
    readonly item: ItemView;
    readonly devices: readonly string[] | null;
  } | null>(null);
  return (
    <Panel title={say.nowPlaying} className="broadcast-now">
      {items.length === 0 ? (
        <EmptyState title={say.nothingPlays}>{say.nothingPlaysHelp}</EmptyState>
      ) : (
        <ul>
          {items.map((item) => (
            <ItemRow
              key={item.id}
              item={item}
              chosen={chosenOf(item, rooms, selection)}
              onStop={(devices) => setStopping({ item, devices })}
            />
          ))}
        </ul>
      )}
      {stopping !== null && <StopDialog {...stopping} rooms={rooms} onClose={() => setStopping(null)} />}
    </Panel>
  );
}

const has = (room: Room, item: string) =>
  room.playing?.item === item || room.waiting.some((part) => part.item === item);

/** Chosen rooms in which it is: none when they are all of them. */
function chosenOf(item: ItemView, rooms: readonly Room[], selection: Selection): readonly string[] {
  const there = rooms.filter((room) => has(room, item.id));
  const chosen = there.filter(({ device }) => selection.has(device)).map(({ device }) => device);
  return chosen.length === there.length ? [] : chosen;
}

function ItemRow({
  item,
  chosen,
  onStop,
}: {
  readonly item: ItemView;
  readonly chosen: readonly string[];
  readonly onStop: (devices: readonly string[] | null) => void;
}) {
  const say = useWords(words);
  const name = useName();
  const phrases = usePhrases();
  const mayStop = useMayStop(item);
  const { counts } = item;
  return (
    <li className="broadcast-item" data-item={item.id} data-state={item.state}>
      <div className="broadcast-item-head">
        <SoundClassBadge of={item.class} />
        {item.drill && <b className="broadcast-drill">{say.drill}</b>}
        <strong>{name(item.name)}</strong>
        <span className="kit-soft">{say[`state:${item.state}`]}</span>
      </div>
      <p className="kit-soft broadcast-facts">
        <span>{say.inRooms(item.outputs)}</span>
        {(counts.waiting ?? 0) > 0 && item.state !== 'waiting' && <span>{say.waitsIn(counts.waiting ?? 0)}</span>}
        {(counts.cut ?? 0) > 0 && <span>{say.cutIn(counts.cut ?? 0)}</span>}
        <span>{say.playsBy(phrases.by(item.by))}</span>
        {item.live && <span>{say.live}</span>}
        {[endText(item, say, phrases.moment), item.why]
          .filter((text) => text !== '')
          .map((text) => (
            <span key={text}>{text}</span>
          ))}
      </p>
      {mayStop && (
        <div className="kit-actions">
          <Button size="small" danger data-act="stop" onClick={() => onStop(null)}>
            {say.stop}
          </Button>
          {chosen.length > 0 && (
            <Button size="small" data-act="stop-here" onClick={() => onStop(chosen)}>
              {say.stopHere}
            </Button>
          )}
        </div>
      )}
    </li>
  );
}

function endText(item: ItemView, say: (typeof words)['zh'], moment: (time: number) => string): string {
  if (item.until !== null) return say.endsAt(moment(item.until));
  return item.length === null ? say.untilStopped : '';
}

function useMayStop(item: ItemView): boolean {
  const broadcast = useRight('broadcast');
  const emergency = useRight('emergency');
  return broadcast && (emergency || !isEmergency(item.class));
}

function StopDialog({
  item,
  devices,
  rooms,
  onClose,
}: {
  readonly item: ItemView;
  readonly devices: readonly string[] | null;
  readonly rooms: readonly Room[];
  readonly onClose: () => void;
}) {
  const say = useWords(words);
  const name = useName();
  const language = useLanguage();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const there = rooms.filter((room) => has(room, item.id));
  const ending = devices === null ? there : there.filter(({ device }) => devices.includes(device));
  const next = nextOf(
    ending.filter(({ playing }) => playing?.item === item.id),
    item.id,
  );
  const stop = async (why: string) => {
    const body = { ...(devices === null ? {} : { devices }), ...(why === '' ? {} : { why }) };
    const done = await api.post<StoppedView>(`broadcast/items/${item.id}/stop`, body);
    await askAnew(queries);
    if (done.outcome === 'stopped') void message.success(say.stopped(done.ended ?? ending.length));
    else void message.info(done.outcome === 'goes-on' ? say.stopGoesOn : say.stopUnknown);
  };
  return (
    <ReasonDialog
      open
      title={say.stopTitle(name(item.name))}
      action={say.stop}
      isDangerous
      reasonRequired={isEmergency(item.class)}
      sayError={(error) => errorText(error, language)}
      onConfirm={({ reason }) => stop(reason)}
      onClose={onClose}
    >
      {isEmergency(item.class) && <p className="broadcast-warn">{say.stopEmergency}</p>}
      <p>
        {ending.length === there.length
          ? say.stopAll(ending.length)
          : say.stopSome(ending.length, there.length - ending.length)}{' '}
        {next.length === 0 ? say.stopSilence : next.map((one) => say.stopNext(name(one.name), one.rooms)).join(' ')}
      </p>
    </ReasonDialog>
  );
}

/** What these rooms play afterwards. */
function nextOf(rooms: readonly Room[], item: string) {
  const found = new Map<string, { readonly name: ItemView['name']; readonly rooms: number }>();
  for (const { waiting } of rooms) {
    const next = waiting.find((part) => part.item !== item && part.blocker?.kind !== 'quiet');
    if (next !== undefined) found.set(next.item, { name: next.name, rooms: (found.get(next.item)?.rooms ?? 0) + 1 });
  }
  return [...found.values()];
}
