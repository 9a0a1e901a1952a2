import { Select } from 'antd';
import { hashOf } from '../../address.ts';
import { ToneBadge } from '../../kit/badges.tsx';
import { PageHeader } from '../../kit/frame.tsx';
import { useFormats, useName, useWords } from '../../kit/language.tsx';
import { EmptyState } from '../../kit/states.tsx';
import { useZoneName } from '../../names.ts';
import type { CameraView } from '../../use-cameras.ts';
import { mostCameras } from './address.ts';
import { words } from './words.ts';

/** Cameras by the zone they are in, in the order of the campus. */
function useZones(cameras: readonly CameraView[]) {
  const zoneName = useZoneName();
  const zones = new Map<string, CameraView[]>();
  for (const camera of cameras) zones.set(camera.zone, [...(zones.get(camera.zone) ?? []), camera]);
  return [...zones].map(([zone, members]) => ({ zone, name: zoneName(zone), members }));
}

/** Before anything is shown: which camera. Nothing is looked at, so nothing is in the audit yet. */
export function Choose({ cameras }: { readonly cameras: readonly CameraView[] }) {
  const say = useWords(words);
  const zones = useZones(cameras);
  if (cameras.length === 0) {
    return (
      <>
        <PageHeader title={say.title} about={say.about} />
        <div className="kit-panel">
          <EmptyState title={say.noCameras}>{say.noCamerasHelp}</EmptyState>
        </div>
      </>
    );
  }
  return (
    <>
      <PageHeader title={say.title} about={say.about} />
      <section className="footage-choice kit-panel" aria-labelledby="footage-choice">
        <header>
          <h2 id="footage-choice">{say.chooseFirst}</h2>
          <span className="kit-soft">{say.chooseHelp}</span>
        </header>
        {zones.map(({ zone, name, members }) => (
          <div key={zone} className="footage-zone">
            <h3>{name}</h3>
            <ul>
              {members.map((camera) => (
                <li key={camera.id}>
                  <Card camera={camera} />
                </li>
              ))}
            </ul>
          </div>
        ))}
      </section>
    </>
  );
}

const tones = { recording: 'good', waiting: 'wait', stopped: 'bad', off: 'plain' } as const;

function Card({ camera: { id, name: pair, recording } }: { readonly camera: CameraView }) {
  const say = useWords(words);
  const name = useName();
  const formats = useFormats();
  const states = { recording: say.isRecording, waiting: say.isWaiting, stopped: say.isStopped, off: say.isOff };
  return (
    <a className="footage-card" href={hashOf('/footage', { cameras: id })} data-choose={id}>
      <b>{name(pair)}</b>
      <span className="footage-card-state">
        {recording === null ? (
          <span className="kit-soft">{say.noRecording}</span>
        ) : (
          <ToneBadge tone={tones[recording.state]}>{states[recording.state]}</ToneBadge>
        )}
        {recording !== null && recording.oldest !== null && (
          <span className="kit-soft">{say.keptSince(formats.shortDate(recording.oldest))}</span>
        )}
      </span>
    </a>
  );
}

/** Which cameras play, by zone; at most four. */
export function CameraSelect({
  cameras,
  chosen,
  onChange,
}: {
  readonly cameras: readonly CameraView[];
  readonly chosen: readonly string[];
  readonly onChange: (ids: readonly string[]) => void;
}) {
  const say = useWords(words);
  const name = useName();
  const zones = useZones(cameras);
  return (
    <Select<string[]>
      className="footage-select"
      mode="multiple"
      maxCount={mostCameras}
      maxTagCount="responsive"
      aria-label={say.choose}
      placeholder={say.choose}
      title={say.chooseHelp}
      value={[...chosen]}
      onChange={onChange}
      optionFilterProp="label"
      options={zones.map((zone) => ({
        label: zone.name,
        options: zone.members.map((camera) => ({ value: camera.id, label: name(camera.name) })),
      }))}
    />
  );
}
