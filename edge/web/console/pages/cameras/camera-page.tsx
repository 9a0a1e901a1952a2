import { lazy, Suspense } from 'react';
import { deviceHash, hashOf } from '../../address.ts';
import { QualityBadge, ToneBadge } from '../../kit/badges.tsx';
import { PageHeader, Panel } from '../../kit/frame.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useName, useWords } from '../../kit/language.tsx';
import { EmptyState, PageSkeleton } from '../../kit/states.tsx';
import { now } from '../../kit/ticker.ts';
import { useSentence, useZoneName } from '../../names.ts';
import { useRight } from '../../session.tsx';
import type { CameraListView, CameraView } from '../../use-cameras.ts';
import { useDeviceHealth, useReading } from '../../use-live.tsx';
import { AbilitiesPanel } from './abilities-panel.tsx';
import { CameraState, VideoBanner } from './camera-list.tsx';
import { LedgerPanel } from './ledger-panel.tsx';
import { modes, RecordingBadge, useRecordingTrouble } from './recording-state.tsx';
import { RetentionPanel } from './retention-panel.tsx';
import { skewLimit, useSkew } from './skew.tsx';
import { words } from './words.ts';

const MasksPanel = lazy(() => import('./masks-panel.tsx'));

/** One camera: how it is now, what was listened to and recorded, what it can do, what is covered. */
export function CameraPage({ id, list }: { readonly id: string; readonly list: CameraListView }) {
  const say = useWords(words);
  const name = useName();
  const zoneName = useZoneName();
  const camera = list.cameras.find((one) => one.id === id);
  if (camera === undefined) {
    return (
      <EmptyState title={say.missing} action={<a href={hashOf('/cameras')}>{say.back}</a>}>
        {say.missingHelp}
      </EmptyState>
    );
  }
  const about = [zoneName(camera.zone), [camera.maker, camera.model].filter((part) => part !== '').join(' ')];
  return (
    <div className="cameras-one" data-camera-page={id}>
      <p className="cameras-back">
        <a href={hashOf('/cameras')}>‹ {say.back}</a>
      </p>
      <PageHeader
        title={name(camera.name)}
        about={about.filter((part) => part !== '').join(' · ')}
        actions={<Ways camera={camera} />}
      />
      <VideoBanner media={list.media} isTold={camera.recording !== null} />
      <NowPanel camera={camera} />
      <LedgerPanel camera={camera} />
      <div className="cameras-two">
        <RetentionPanel recording={camera.recording} />
        <AbilitiesPanel camera={camera} />
      </div>
      {camera.may.live && (
        <Suspense fallback={<PageSkeleton />}>
          <MasksPanel camera={camera} />
        </Suspense>
      )}
    </div>
  );
}

/** Playback begins a little before now: the newest file is still being written, ms. */
const before = 60_000;

function Ways({ camera: { id, may } }: { readonly camera: CameraView }) {
  const say = useWords(words);
  const mayIncidents = useRight('incidents');
  const at = String(Math.round(now()) - before);
  const ways = [
    [may.live, hashOf(`/live/${id}`), say.toLive],
    [may.playback, hashOf('/footage', { cameras: id, at }), say.toFootage],
    [mayIncidents, hashOf('/incidents', { show: 'all', camera: id }), say.toIncidents],
    [true, hashOf('/map', { device: id }), say.toMap],
    [true, deviceHash(id), say.device],
  ] as const;
  return ways.map(
    ([isThere, href, text]) =>
      isThere && (
        <a key={text} className="kit-button" href={href}>
          {text}
        </a>
      ),
  );
}

/** Why it is not heard as it should be, in the words of its driver. */
function LinkTrouble({ id }: { readonly id: string }) {
  const say = useWords(words);
  const sentence = useSentence();
  const health = useDeviceHealth(id);
  if (health === undefined || health.message === '' || ['online', 'starting'].includes(health.state)) return null;
  return (
    <p className="cameras-trouble" data-trouble="link">
      <SignIcon sign="triangle" /> {sentence(health.message)}
      {health.state === 'held' && ` · ${say.heldHelp}`}
    </p>
  );
}

function NowPanel({ camera }: { readonly camera: CameraView }) {
  const say = useWords(words);
  const formats = useFormats();
  const { recording } = camera;
  const trouble = useRecordingTrouble(recording);
  return (
    <Panel title={say.now}>
      <dl className="cameras-facts">
        <div>
          <dt>{say.link}</dt>
          <dd>
            <CameraState id={camera.id} />
          </dd>
        </div>
        <div>
          <dt>{say.listening}</dt>
          <dd>
            <Listening camera={camera.id} />
          </dd>
        </div>
        {recording !== null && (
          <div>
            <dt>{say.recording}</dt>
            <dd>
              <RecordingBadge recording={recording} /> <span className="kit-soft">{say[modes[recording.mode]]}</span>
            </dd>
          </div>
        )}
        {recording !== null && recording.codec !== '' && (
          <div>
            <dt>{say.stream}</dt>
            <dd className="kit-number">
              {recording.codec}
              {recording.frameRate !== null && ` · ${say.pictures(formats.number(recording.frameRate, 0))}`}
            </dd>
          </div>
        )}
        {recording !== null && (
          <div>
            <dt>{say.viewers}</dt>
            <dd className="kit-number">{say.people(recording.viewers)}</dd>
          </div>
        )}
        <div>
          <dt>{say.skew}</dt>
          <dd>
            <SkewText camera={camera.id} />
          </dd>
        </div>
      </dl>
      {trouble !== '' && (
        <p className="cameras-trouble">
          <SignIcon sign="triangle" /> {trouble}
        </p>
      )}
      <LinkTrouble id={camera.id} />
      <SkewTrouble camera={camera.id} />
    </Panel>
  );
}

function Listening({ camera }: { readonly camera: string }) {
  const say = useWords(words);
  const reading = useReading(`${camera}/events`);
  if (reading === undefined) return <span className="kit-soft">—</span>;
  if (reading.quality === 'bad') return <QualityBadge quality="bad" reason={reading.reason} />;
  const isListening = reading.value === true;
  return <ToneBadge tone={isListening ? 'good' : 'bad'}>{isListening ? say.isListening : say.isDeaf}</ToneBadge>;
}

function SkewText({ camera }: { readonly camera: string }) {
  const say = useWords(words);
  const formats = useFormats();
  const skew = useSkew(camera);
  if (skew === null) return <span className="kit-soft">{say.unknown}</span>;
  if (Math.abs(skew) > skewLimit) return <ToneBadge tone="bad">{say.seconds(formats.number(skew, 1))}</ToneBadge>;
  return <ToneBadge tone="good">{say.skewWell}</ToneBadge>;
}

function SkewTrouble({ camera }: { readonly camera: string }) {
  const say = useWords(words);
  const formats = useFormats();
  const skew = useSkew(camera);
  if (skew === null || Math.abs(skew) <= skewLimit) return null;
  return (
    <p className="cameras-trouble">
      <SignIcon sign="triangle" /> {say.skewIll(formats.number(skew, 1))}
    </p>
  );
}
