import { Button } from 'antd';
import { ToneBadge } from '../../kit/badges.tsx';
import { CardTable } from '../../kit/card-table.tsx';
import { fromHere } from '../../kit/download.tsx';
import { useFormats, useName, useWords } from '../../kit/language.tsx';
import { type Clip, loudnessUnit } from './data.ts';
import { ListenButton } from './listen-button.tsx';
import { useListening } from './use-listening.ts';
import { words } from './words.ts';

const sources = { site: 'fromSite', upload: 'fromUpload', speech: 'fromSpeech', recording: 'fromRecording' } as const;
type UseWord = 'useRule' | 'useSchool' | 'usePanic' | 'useEmergency' | 'useTemplate';
const useKinds: Readonly<Record<string, UseWord>> = {
  rule: 'useRule',
  school: 'useSchool',
  panic: 'usePanic',
  emergency: 'useEmergency',
  template: 'useTemplate',
};
/** Quietest and loudest of the bar, LUFS. */
const [quietest, loudest] = [-50, -6];

export function ClipTable({
  clips,
  mayRemove,
  onRemove,
}: {
  readonly clips: readonly Clip[];
  readonly mayRemove: boolean;
  readonly onRemove: (clip: Clip) => void;
}) {
  const say = useWords(words);
  const name = useName();
  const [heard, listen] = useListening();
  const actions = {
    title: say.actions,
    width: 110,
    render: (clip: Clip) =>
      clip.source === 'site' ? null : (
        <Button
          danger
          disabled={clip.usedBy.length > 0}
          title={clip.usedBy.length > 0 ? say.inUse(clip.usedBy.length) : undefined}
          aria-label={say.removeOf(name(clip.name))}
          onClick={() => onRemove(clip)}
        >
          {say.remove}
        </Button>
      ),
  };
  return (
    <CardTable
      label={say.list}
      rows={clips}
      keyOf={({ id }) => id}
      minWidth={880}
      columns={[
        {
          key: 'name',
          title: say.name,
          render: (clip) => {
            const address = fromHere(`api/v1/broadcast/clips/${clip.id}/sound`);
            const isHeard = heard === address;
            return (
              <span className="clips-name">
                <ListenButton
                  label={isHeard ? say.stop : say.listen(name(clip.name))}
                  isHeard={isHeard}
                  isDisabled={clip.problem !== null}
                  onPress={() => listen(isHeard ? null : address)}
                />
                <Title clip={clip} />
              </span>
            );
          },
        },
        { key: 'source', title: say.source, width: 120, render: ({ source }) => say[sources[source]] },
        { key: 'length', title: say.length, width: 120, render: (clip) => <Length clip={clip} /> },
        {
          key: 'loudness',
          title: say.loudness,
          width: 150,
          render: ({ loudness }) => loudness !== null && <Loudness value={loudness} />,
        },
        { key: 'uses', title: say.uses, render: (clip) => <Uses clip={clip} /> },
      ]}
      {...(mayRemove ? { actions } : {})}
    />
  );
}

function Title({ clip }: { readonly clip: Clip }) {
  const name = useName();
  return (
    <span className="clips-title">
      <span>{name(clip.name)}</span>
      {clip.text !== null && clip.text !== name(clip.name) && <small className="kit-soft">{clip.text}</small>}
      {clip.problem !== null && <ToneBadge tone="bad">{clip.problem}</ToneBadge>}
    </span>
  );
}

function Length({ clip }: { readonly clip: Clip }) {
  const say = useWords(words);
  const formats = useFormats();
  if (clip.endless) return say.endless;
  return clip.length === null ? say.unknown : formats.duration(clip.length);
}

function Loudness({ value }: { readonly value: number }) {
  const say = useWords(words);
  const formats = useFormats();
  const share = Math.max(0, Math.min(1, (value - quietest) / (loudest - quietest)));
  return (
    <span className="clips-loudness" title={say.loudnessHelp}>
      <svg viewBox="0 0 110 8" aria-hidden="true">
        <rect width="110" height="8" rx="4" className="clips-bar" />
        <rect width={110 * share} height="8" rx="4" className="clips-bar-full" />
      </svg>
      <small>{`${formats.number(value, 1)} ${loudnessUnit}`}</small>
    </span>
  );
}

function Uses({ clip }: { readonly clip: Clip }) {
  const say = useWords(words);
  if (clip.usedBy.length === 0) return <span className="kit-soft">{say.usedNowhere}</span>;
  return (
    <ul className="clips-uses">
      {clip.usedBy.map((use) => {
        const [kind = '', ...rest] = use.split(':');
        return <li key={use}>{`${say[useKinds[kind] ?? 'useOther']} ${rest.join(':')}`}</li>;
      })}
    </ul>
  );
}
