import { Button, Drawer } from 'antd';
import { useId, useState } from 'react';
import { errorDetail, errorText } from '../../api.ts';
import { type Tone, ToneBadge } from '../../kit/badges.tsx';
import { CardTable } from '../../kit/card-table.tsx';
import { DownloadLink, fromHere } from '../../kit/download.tsx';
import { Panel } from '../../kit/frame.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useRight } from '../../session.tsx';
import { type DeliveryView, type PastItem, type ReportView, useItems, useReport, useStory } from './data.ts';
import { shiftedDate, startOf } from './dates.ts';
import { usePhrases } from './sentences.ts';
import { SoundClassBadge } from './sound-class.tsx';
import { useToday } from './use-today.ts';
import { words } from './words.ts';

/** What was heard on a day, and first of all what was not. */
export function Deliveries() {
  const say = useWords(words);
  const formats = useFormats();
  const id = useId();
  const today = useToday();
  const mayExport = useRight('export');
  const [chosen, setChosen] = useState<string | null>(null);
  const [story, setStory] = useState<string | null>(null);
  const date = chosen ?? today;
  const from = startOf(date, formats);
  const until = startOf(shiftedDate(date, 1), formats);
  return (
    <div className="broadcast-deliveries">
      <div className="broadcast-bar">
        <label htmlFor={id}>{say.day}</label>
        <input
          id={id}
          type="date"
          className="broadcast-input"
          max={today}
          value={date}
          onChange={(event) => setChosen(event.target.value === '' ? null : event.target.value)}
        />
        {date !== today && <Button onClick={() => setChosen(null)}>{say.dayToday}</Button>}
        {mayExport && <DownloadLink href={`api/v1/broadcast/report.csv?date=${date}`}>{say.csv}</DownloadLink>}
      </div>
      <Report date={date} onStory={setStory} />
      <DayItems from={from} until={until} onStory={setStory} />
      {story !== null && <StoryDrawer id={story} onClose={() => setStory(null)} />}
    </div>
  );
}

function Report({ date, onStory }: { readonly date: string; readonly onStory: (item: string) => void }) {
  const say = useWords(words);
  const name = useName();
  const language = useLanguage();
  const formats = useFormats();
  const phrases = usePhrases();
  const report = useReport(date);
  if (report.isPending) return <PageSkeleton />;
  if (report.isError)
    return (
      <ErrorState
        message={errorText(report.error, language)}
        detail={errorDetail(report.error)}
        onRetry={() => void report.refetch()}
      />
    );
  const { missed, devices } = report.data;
  const odd = devices.filter(({ counter }) => counter !== null && !counter.agrees).slice(0, 20);
  return (
    <>
      <Panel title={say.missedFirst}>
        {missed.length === 0 ? (
          <p className="broadcast-fine">
            <SignIcon sign="dot" size={14} /> {say.missedNone}
          </p>
        ) : (
          <ul className="broadcast-missed">
            {missed.slice(0, 100).map((one) => (
              <li key={`${one.item} ${one.output}`}>
                <SignIcon sign="cross" size={13} />
                <div>
                  <button type="button" className="broadcast-link" onClick={() => onStory(one.item)}>
                    {say.missedOf(name(one.itemName), name(one.name))}
                  </button>
                  <p className="kit-soft">
                    {[one.begun === null ? '' : phrases.moment(one.begun), phrases.proof(one.reason)]
                      .filter((text) => text !== '')
                      .join(' · ')}
                  </p>
                </div>
              </li>
            ))}
          </ul>
        )}
      </Panel>
      {devices.length > 0 && (
        <Panel title={say.devicesOfDay}>
          {odd.length > 0 && (
            <p className="broadcast-bad" data-counters>
              <SignIcon sign="triangle" size={13} /> {say.countersOdd(odd.map((one) => name(one.name)).join(say.comma))}
            </p>
          )}
          <CardTable
            label={say.devicesOfDay}
            rows={devices.slice(0, 300)}
            keyOf={({ device }) => device}
            columns={deviceColumns(say, name, formats.duration)}
          />
        </Panel>
      )}
    </>
  );
}

type DeviceRow = ReportView['devices'][number];

function deviceColumns(say: (typeof words)['zh'], name: ReturnType<typeof useName>, duration: (ms: number) => string) {
  return [
    { key: 'room', title: say.col_room, render: (row: DeviceRow) => name(row.name) },
    {
      key: 'missed',
      title: say.col_missed,
      render: ({ counts }: DeviceRow) =>
        (counts.missed ?? 0) === 0 ? '0' : <ToneBadge tone="bad">{String(counts.missed)}</ToneBadge>,
    },
    { key: 'played', title: say.col_played, render: ({ counts }: DeviceRow) => String(counts.played ?? 0) },
    { key: 'heard', title: say.col_heard, render: ({ heard }: DeviceRow) => duration(heard) },
    {
      key: 'counter',
      title: say.col_counter,
      render: ({ counter }: DeviceRow) => {
        if (counter === null) return <span className="kit-soft">{say.counterNone}</span>;
        const said = say.counterSays(duration(counter.value), duration(counter.ours));
        return counter.agrees ? said : <ToneBadge tone="bad">{said}</ToneBadge>;
      },
    },
  ];
}

function DayItems({
  from,
  until,
  onStory,
}: {
  readonly from: number;
  readonly until: number;
  readonly onStory: (item: string) => void;
}) {
  const say = useWords(words);
  const name = useName();
  const language = useLanguage();
  const formats = useFormats();
  const phrases = usePhrases();
  const items = useItems(from, until);
  if (items.isPending) return <PageSkeleton />;
  if (items.isError)
    return (
      <ErrorState
        message={errorText(items.error, language)}
        detail={errorDetail(items.error)}
        onRetry={() => void items.refetch()}
      />
    );
  const rows = [...items.data.items].sort(
    (a, b) => (b.counts.missed ?? 0) - (a.counts.missed ?? 0) || b.since - a.since,
  );
  return (
    <Panel title={say.itemsOfDay}>
      {rows.length === 0 ? (
        <EmptyState title={say.itemsNone} />
      ) : (
        <CardTable
          label={say.itemsOfDay}
          rows={rows}
          keyOf={({ id }) => id}
          columns={[
            { key: 'time', title: say.col_time, render: ({ since }) => formats.clock(since) },
            {
              key: 'what',
              title: say.col_what,
              render: (item) => (
                <span className="broadcast-item-head">
                  <SoundClassBadge of={item.class} />
                  <span>{name(item.name)}</span>
                </span>
              ),
            },
            { key: 'who', title: say.col_who, render: ({ by }) => phrases.by(by) },
            { key: 'result', title: say.col_result, render: (item) => <Heard item={item} /> },
          ]}
          actions={{
            title: say.story,
            render: ({ id }) => (
              <Button size="small" onClick={() => onStory(id)}>
                {say.story}
              </Button>
            ),
          }}
        />
      )}
    </Panel>
  );
}

function Heard({ item: { counts, outputs } }: { readonly item: PastItem }) {
  const say = useWords(words);
  const missed = counts.missed ?? 0;
  return (
    <span className="broadcast-facts">
      <span>{say.heardOf((counts.played ?? 0) + (counts.playing ?? 0), outputs)}</span>
      {missed > 0 && <ToneBadge tone="bad">{say.notHeard(missed)}</ToneBadge>}
    </span>
  );
}

const tones: Readonly<Record<DeliveryView['state'], Tone>> = {
  ...{
    played: 'good',
    playing: 'good',
    waiting: 'wait',
    cut: 'wait',
    withheld: 'plain',
    unknown: 'plain',
    missed: 'bad',
  },
};

function StoryDrawer({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const say = useWords(words);
  const name = useName();
  const language = useLanguage();
  const formats = useFormats();
  const phrases = usePhrases();
  const story = useStory(id);
  const { data } = story;
  return (
    <Drawer
      open
      onClose={onClose}
      size={620}
      title={data === undefined ? say.story : say.storyOf(name(data.item.name))}
    >
      {story.isPending && <PageSkeleton />}
      {story.isError && (
        <ErrorState
          message={errorText(story.error, language)}
          detail={errorDetail(story.error)}
          onRetry={() => void story.refetch()}
        />
      )}
      {data !== undefined && (
        <div className="broadcast-story">
          <p className="broadcast-item-head">
            <SoundClassBadge of={data.item.class} />
            <span>{say.playsBy(phrases.by(data.item.by))}</span>
            {data.item.why !== '' && <span className="kit-soft">{data.item.why}</span>}
          </p>
          {data.recording !== null && (
            <section>
              <h3>{say.recording}</h3>
              {/* biome-ignore lint/a11y/useMediaCaption: a live voice of which no text exists */}
              <audio controls preload="none" src={fromHere(`api/v1/broadcast/items/${id}/recording`)} />
            </section>
          )}
          <CardTable
            label={say.deliveries}
            rows={[...data.deliveries].sort((a, b) => order(a) - order(b))}
            keyOf={({ output }) => output}
            columns={[
              { key: 'room', title: say.col_room, render: (one) => name(one.name) },
              {
                key: 'state',
                title: say.col_state,
                render: ({ state }) => <ToneBadge tone={tones[state]}>{say[`delivery:${state}`]}</ToneBadge>,
              },
              {
                key: 'proof',
                title: say.col_proof,
                render: ({ proof, evidence, reason, delay }) => (
                  <span>
                    {say[`proof:${proof}`]}
                    <small className="kit-soft">
                      {[
                        phrases.proof(evidence),
                        phrases.proof(reason),
                        delay !== null && delay > 500 ? say.lateBy(formats.duration(delay)) : '',
                      ]
                        .filter((text) => text !== '')
                        .map((text) => ` · ${text}`)
                        .join('')}
                    </small>
                  </span>
                ),
              },
            ]}
          />
        </div>
      )}
    </Drawer>
  );
}

const order = ({ state }: DeliveryView) => ['missed', 'unknown', 'cut'].indexOf(state) + 1 || 9;
