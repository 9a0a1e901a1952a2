import { Input, Select } from 'antd';
import { type ReactNode, useId } from 'react';
import type { ProfileView } from '../../../place-schemas.ts';
import type { CampusView } from '../../api.ts';
import { domainText } from '../../domain-words.ts';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { idFrom } from './address-form.ts';
import type { Draft, Mistake } from './draft.ts';
import { words } from './words.ts';

/** Which product it is, searched by make, model and kind. */
export function ProfileField({
  profiles,
  profile,
  mistake,
  onChange,
}: {
  readonly profiles: readonly ProfileView[];
  readonly profile: ProfileView | undefined;
  readonly mistake: string | undefined;
  readonly onChange: (profile: ProfileView) => void;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const options = [...Map.groupBy(profiles, ({ kind }) => kind)].map(([kind, same]) => ({
    label: domainText('kind', kind, language),
    title: kind,
    options: same.map((one) => ({
      value: one.id,
      label: name(one.name),
      search: `${one.id} ${one.name.zh} ${one.name.en} ${domainText('kind', kind, language)}`.toLowerCase(),
    })),
  }));
  return (
    <Labelled
      label={say.profile}
      help={profile === undefined ? '' : `${profile.id} · ${say.pointsOf(profile.points, profile.outputs)}`}
      mistake={mistake}
    >
      {(aria) => (
        <Select
          {...aria}
          showSearch={{
            filterOption: (typed, option) =>
              option !== undefined && 'search' in option && String(option.search).includes(typed.toLowerCase()),
          }}
          placeholder={say.profileHint}
          value={profile?.id ?? null}
          options={options}
          onChange={(id: string | null) => {
            const chosen = profiles.find((one) => one.id === id);
            if (chosen !== undefined) onChange(chosen);
          }}
        />
      )}
    </Labelled>
  );
}

/** What it is called, and where it is. */
export function PlaceFields({
  draft,
  campus,
  wrong,
  onChange,
}: {
  readonly draft: Draft;
  readonly campus: CampusView;
  readonly wrong: (...kinds: Mistake[]) => string | undefined;
  readonly onChange: (part: Partial<Draft>) => void;
}) {
  const say = useWords(words);
  const name = useName();
  const zone = campus.zones.find(({ id }) => id === draft.zone);
  const spaces = campus.buildings.flatMap((building) =>
    building.floors.flatMap((floor) =>
      floor.spaces.map((space) => ({
        value: space.id,
        label: [building.name, floor.name, space.name].map(name).join(' · '),
      })),
    ),
  );
  const own =
    zone === undefined || zone.spaces.length === 0 ? spaces : spaces.filter(({ value }) => zone.spaces.includes(value));
  return (
    <>
      <div className="inbox-fields">
        <Labelled label={say.nameZh} mistake={wrong('nameNeeded')}>
          {(aria) => (
            <Input
              {...aria}
              maxLength={64}
              value={draft.zh}
              onChange={(event) => onChange({ zh: event.target.value })}
            />
          )}
        </Labelled>
        <Labelled label={say.nameEn} help={say.nameEnHelp}>
          {(aria) => (
            <Input
              {...aria}
              maxLength={64}
              value={draft.en}
              onChange={(event) => {
                const en = event.target.value;
                onChange({ en, ...(draft.isOwnId ? {} : { id: idFrom(en) }) });
              }}
            />
          )}
        </Labelled>
        <Labelled label={say.id} help={say.idHelp} mistake={wrong('idWrong', 'idTaken')}>
          {(aria) => (
            <Input
              {...aria}
              maxLength={63}
              value={draft.id}
              spellCheck={false}
              autoCapitalize="none"
              onChange={(event) =>
                onChange({ id: event.target.value.trim().toLowerCase(), isOwnId: event.target.value !== '' })
              }
            />
          )}
        </Labelled>
        <Labelled label={say.zone} mistake={wrong('zoneNeeded')}>
          {(aria) => (
            <Select
              {...aria}
              value={draft.zone}
              onChange={(value: string | null) => onChange({ zone: value, space: null })}
              options={campus.zones.map(({ id, name: called }) => ({ value: id, label: name(called) }))}
            />
          )}
        </Labelled>
      </div>
      <Labelled label={say.space}>
        {(aria) => (
          <Select
            {...aria}
            allowClear
            showSearch={{ optionFilterProp: 'label' }}
            value={draft.space}
            onChange={(value: string | undefined) => onChange({ space: value ?? null })}
            options={own}
          />
        )}
      </Labelled>
    </>
  );
}

interface Aria {
  readonly id: string;
  readonly 'aria-invalid': boolean;
  readonly 'aria-describedby': string;
}

function Labelled({
  label,
  help = '',
  mistake,
  children,
}: {
  readonly label: string;
  readonly help?: string;
  readonly mistake?: string | undefined;
  readonly children: (aria: Aria) => ReactNode;
}) {
  const id = useId();
  return (
    <div className="kit-field">
      <label htmlFor={id}>{label}</label>
      {children({ id, 'aria-invalid': mistake !== undefined, 'aria-describedby': `${id}-help` })}
      <p id={`${id}-help`} className={mistake === undefined ? 'kit-soft' : 'kit-form-error'}>
        {mistake ?? help}
      </p>
    </div>
  );
}
