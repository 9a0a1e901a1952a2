import { Checkbox, Input } from 'antd';
import { useId } from 'react';
import { useWords } from '../../kit/language.tsx';
import { type NewClip, newId } from './data.ts';
import { Field } from './field.tsx';
import { words } from './words.ts';

export interface Naming {
  readonly zh: string;
  readonly en: string;
  readonly ahead: boolean;
}

export const nameless: Naming = { zh: '', en: '', ahead: false };

export function clipOf({ zh, en, ahead }: Naming): NewClip {
  const english = en.trim() === '' ? zh.trim() : en.trim();
  return { id: newId(en), zh: zh.trim(), en: english, ahead };
}

/** What a new clip is called, and whether it must be there at once. */
export function NamingFields({
  naming,
  onName,
}: {
  readonly naming: Naming;
  readonly onName: (naming: Naming) => void;
}) {
  const say = useWords(words);
  const ids = useId();
  return (
    <>
      <div className="clips-two">
        <Field id={`${ids}-zh`} label={say.nameZh}>
          <Input
            id={`${ids}-zh`}
            value={naming.zh}
            maxLength={64}
            onChange={(event) => onName({ ...naming, zh: event.target.value })}
          />
        </Field>
        <Field id={`${ids}-en`} label={say.nameEn}>
          <Input
            id={`${ids}-en`}
            value={naming.en}
            maxLength={64}
            onChange={(event) => onName({ ...naming, en: event.target.value })}
          />
        </Field>
      </div>
      <Checkbox checked={naming.ahead} onChange={(event) => onName({ ...naming, ahead: event.target.checked })}>
        {say.aheadHelp}
      </Checkbox>
    </>
  );
}
