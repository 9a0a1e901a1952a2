import { Checkbox } from 'antd';
import { useMemo } from 'react';
import type { SpaceId, ZoneId } from '#edge/domain/ids.ts';
import type { Selection } from '#edge/domain/rule.ts';
import { useName, useWords } from '../../kit/language.tsx';
import { pointLabel } from '../../kit/values.ts';
import { useCampus } from '../../use-live.tsx';
import { editorWords } from './editor-words.ts';
import { type Choice, FreeField, ManyField } from './field.tsx';
import type { Vocabulary } from './vocabulary.ts';

interface Changed {
  readonly of?: string;
  readonly zones?: readonly string[];
  readonly spaces?: readonly string[];
  readonly tags?: readonly string[];
  readonly here?: boolean;
}

/** What is empty is not said at all. */
function changed(selection: Selection, change: Changed): Selection {
  const { of, zones = [], spaces = [], tags = [], here = false } = { ...selection, ...change };
  return {
    of,
    ...(zones.length === 0 ? {} : { zones: zones as readonly ZoneId[] }),
    ...(spaces.length === 0 ? {} : { spaces: spaces as readonly SpaceId[] }),
    ...(tags.length === 0 ? {} : { tags }),
    ...(here ? { here } : {}),
  };
}

/** Points by name, place and tag, and how many of them fit just now. */
export function SelectionField({
  value,
  vocabulary,
  hasPlace,
  outputsOnly = false,
  onChange,
}: {
  readonly value: Selection;
  readonly vocabulary: Vocabulary;
  /** The rule has an instance for each place. */
  readonly hasPlace: boolean;
  readonly outputsOnly?: boolean;
  readonly onChange: (value: Selection) => void;
}) {
  const say = useWords(editorWords);
  const name = useName();
  const campus = useCampus();
  const options = useMemo(() => choicesOf(vocabulary, outputsOnly, say.allOf), [vocabulary, outputsOnly, say.allOf]);
  const count = String(vocabulary.fitting(value).length);
  const change = (part: Changed) => onChange(changed(value, part));
  const isMany = value.of.includes('*');
  const spaces = campus?.buildings.flatMap(({ floors }) => floors.flatMap((floor) => floor.spaces)) ?? [];
  const choices = (some: readonly { readonly id: string; readonly name: { zh: string; en: string } }[]) =>
    some.map((one) => ({ value: one.id, label: name(one.name) }));
  return (
    <>
      <FreeField
        label={outputsOnly ? say.outputs : say.points}
        value={value.of}
        options={options}
        placeholder={say.pointsHint}
        help={say.fits(count)}
        onChange={(of) => change({ of })}
      />
      {isMany && (
        <>
          <ManyField
            label={say.inZones}
            value={value.zones ?? []}
            options={choices(campus?.zones ?? [])}
            placeholder={say.anywhere}
            onChange={(zones) => change({ zones })}
          />
          <ManyField
            label={say.inSpaces}
            value={value.spaces ?? []}
            options={choices(spaces)}
            placeholder={say.anywhere}
            onChange={(some) => change({ spaces: some })}
          />
          <ManyField
            label={say.withTags}
            value={value.tags ?? []}
            options={vocabulary.tags.map((tag) => ({ value: tag, label: tag }))}
            isFree
            placeholder={say.anywhere}
            onChange={(tags) => change({ tags })}
          />
        </>
      )}
      {hasPlace && (
        <Checkbox checked={value.here === true} onChange={(event) => change({ here: event.target.checked })}>
          {say.here}
        </Checkbox>
      )}
    </>
  );
}

/** First what several devices have in common, then every single point. */
function choicesOf(v: Vocabulary, outputsOnly: boolean, allOf: (label: string, count: string) => string): Choice[] {
  const points = outputsOnly ? v.points.filter(({ write }) => write !== undefined) : v.points;
  const kinds = new Map<string, { label: string; count: number }>();
  for (const { point, label } of points) {
    const known = kinds.get(point);
    if (known === undefined) kinds.set(point, { label: pointLabel(point, label, v.language), count: 1 });
    else known.count++;
  }
  return [
    ...[...kinds]
      .filter(([, { count }]) => count > 1)
      .map(([point, { label, count }]) => ({ value: `*/${point}`, label: allOf(label, String(count)) })),
    ...points.map(({ id }) => ({ value: id, label: v.pointName(id) })),
  ];
}
