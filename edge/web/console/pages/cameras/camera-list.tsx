import { hashOf } from '../../address.ts';
import { StateBadge, ToneBadge } from '../../kit/badges.tsx';
import { type CardColumn, CardTable } from '../../kit/card-table.tsx';
import { PageHeader, Panel } from '../../kit/frame.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useName, useWords } from '../../kit/language.tsx';
import { EmptyState } from '../../kit/states.tsx';
import { useZoneName } from '../../names.ts';
import type { CameraListView, CameraView } from '../../use-cameras.ts';
import { useDeviceHealth } from '../../use-live.tsx';
import { useLedger } from './data.ts';
import { gapsOf } from './ledger.ts';
import { RecordingBadge, useDiskText } from './recording-state.tsx';
import { ClockSkew } from './skew.tsx';
import { Strip } from './strip.tsx';
import { words } from './words.ts';

/** Every camera with what may be wrong with it. */
export function CameraList({ list }: { readonly list: CameraListView }) {
  const say = useWords(words);
  const isTold = list.cameras.some(({ recording }) => recording !== null);
  return (
    <>
      <PageHeader title={say.title} about={say.about} />
      <VideoBanner media={list.media} isTold={isTold} />
      {list.cameras.length === 0 ? (
        <div className="kit-panel">
          <EmptyState title={say.none}>{say.noneHelp}</EmptyState>
        </div>
      ) : (
        <div className="kit-panel cameras-list">
          <div className="kit-panel-body">
            <Rows cameras={list.cameras} isTold={isTold} />
          </div>
        </div>
      )}
      {isTold && <Room media={list.media} />}
    </>
  );
}

/** What must be mended before there is video. */
export function VideoBanner({ media, isTold }: { readonly media: CameraListView['media']; readonly isTold: boolean }) {
  const say = useWords(words);
  const diskText = useDiskText();
  const lines = [
    media.isThere ? '' : say.videoAway,
    media.problem === '' ? '' : say.videoProblem(diskText(media.problem)),
    isTold && media.isThere && media.ffmpeg === null ? say.noFfmpeg : '',
    media.ffmpeg?.isOld === true ? say.oldFfmpeg : '',
  ].filter((line) => line !== '');
  return lines.map((line) => (
    <div key={line} className="kit-banner" role="status">
      <SignIcon sign="triangle" size={16} />
      {line}
    </div>
  ));
}

function Rows({ cameras, isTold }: { readonly cameras: readonly CameraView[]; readonly isTold: boolean }) {
  const say = useWords(words);
  const name = useName();
  const zoneName = useZoneName();
  const formats = useFormats();
  const columns: CardColumn<CameraView>[] = [
    {
      key: 'camera',
      title: say.camera,
      render: (camera) => (
        <span className="cameras-name">
          <a href={hashOf(`/cameras/${camera.id}`)} data-camera-link={camera.id}>
            {name(camera.name)}
          </a>
          <span className="kit-soft">{zoneName(camera.zone)}</span>
        </span>
      ),
    },
    { key: 'state', title: say.state, width: 120, render: ({ id }) => <CameraState id={id} /> },
    { key: 'ledger', title: say.ledger, width: 320, render: ({ id }) => <ListLedger id={id} /> },
  ];
  const recording: CardColumn<CameraView>[] = [
    {
      key: 'recording',
      title: say.recording,
      width: 130,
      render: (camera) => <RecordingBadge recording={camera.recording} />,
    },
    {
      key: 'complete',
      title: say.complete,
      align: 'right',
      width: 120,
      render: (camera) => <span className="kit-number">{shareText(camera.recording?.complete24h, formats)}</span>,
    },
    { key: 'days', title: say.days, align: 'right', width: 130, render: (camera) => <Days camera={camera} /> },
  ];
  const skew: CardColumn<CameraView> = {
    key: 'skew',
    title: say.skew,
    align: 'right',
    width: 110,
    render: ({ id }) => <ClockSkew camera={id} />,
  };
  return (
    <CardTable
      label={say.title}
      columns={[...columns, ...(isTold ? recording : []), skew]}
      rows={cameras}
      keyOf={({ id }) => id}
      minWidth={900}
    />
  );
}

export function shareText(share: number | null | undefined, formats: { percent(fraction: number): string }): string {
  if (share === null || share === undefined) return '—';
  // 99.96 % is not all of it.
  return formats.percent(share < 1 ? Math.min(share, 0.999) : 1);
}

/** As the driver says it of a camera that lets nobody in. */
const refusesPassword = /refuses the user name or password/;

export function CameraState({ id }: { readonly id: string }) {
  const say = useWords(words);
  const health = useDeviceHealth(id);
  if (health === undefined) return <span className="kit-soft">—</span>;
  // It is only held because of it: what is to be done lies here, not at the camera.
  if (refusesPassword.test(health.message)) return <ToneBadge tone="bad">{say.wrongPassword}</ToneBadge>;
  return <StateBadge state={health.state} />;
}

function ListLedger({ id }: { readonly id: string }) {
  const say = useWords(words);
  const formats = useFormats();
  const { data } = useLedger(id, 'list');
  if (data === undefined || data === null || data.share === null) return <span className="kit-soft">—</span>;
  const share = shareText(data.share, formats);
  return (
    <span className="cameras-row-ledger">
      <Strip
        spans={data.spans}
        from={data.from}
        to={data.to}
        label={say.stripLabel(share, gapsOf(data.spans).length)}
      />
      <span className="kit-number">{share}</span>
    </span>
  );
}

function Days({ camera: { recording } }: { readonly camera: CameraView }) {
  const say = useWords(words);
  const formats = useFormats();
  if (recording === null || recording.mode === 'off') return <span className="kit-soft">—</span>;
  const { daysThere, daysRequired, daysExpected } = recording;
  const isShort = daysExpected !== null && daysExpected < daysRequired;
  return (
    <span className={`kit-number ${isShort ? 'cameras-short' : ''}`}>
      {isShort && <SignIcon sign="triangle" size={13} />}
      {say.daysOf(formats.number(daysThere, 1), daysRequired)}
    </span>
  );
}

function Room({ media }: { readonly media: CameraListView['media'] }) {
  const say = useWords(words);
  const formats = useFormats();
  const facts = [
    [say.footageBytes, formats.bytes(media.bytes)],
    [say.protectedBytes, formats.bytes(media.protectedBytes)],
    [say.freeBytes, media.freeBytes === null ? say.unknown : formats.bytes(media.freeBytes)],
    [say.transcodes, say.ways(media.transcodes)],
    [say.recoding, say.recodingOf(media.recoding.masked, media.recoding.cpu)],
    ['ffmpeg', media.ffmpeg?.version ?? '—'],
  ] as const;
  return (
    <Panel title={say.store}>
      <dl className="cameras-facts">
        {facts.map(([title, text]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd className="kit-number">{text}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
