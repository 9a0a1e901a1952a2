import { Button, Drawer, Input, Select } from 'antd';
import { type ChangeEvent, type FormEvent, useEffect, useId, useState } from 'react';
import type { PlanView } from '../../../place-schemas.ts';
import type { CampusView } from '../../api.ts';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { type PlanActs, typeOfPicture } from './acts.tsx';
import { pictureProblem } from './picture-problem.ts';
import { newPlanId } from './plan-id.ts';
import { words } from './words.ts';

/** What the server takes, bytes. */
const mostBytes = 5_000_000;
const noFloor = '';

/** A new plan, or (with `plan`) another name, floor or picture of one. */
export function PlanForm({
  plan,
  plans,
  campus,
  acts,
  onDone,
  onClose,
}: {
  readonly plan: PlanView | null;
  readonly plans: readonly PlanView[];
  readonly campus: CampusView;
  readonly acts: PlanActs;
  readonly onDone: (id: string) => void;
  readonly onClose: () => void;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const isPhone = useMedia(phoneQuery);
  const id = useId();
  const [zh, setZh] = useState(plan?.name.zh ?? '');
  const [en, setEn] = useState(plan?.name.en ?? '');
  const [floor, setFloor] = useState(plan?.floor ?? noFloor);
  const [picture, setPicture] = useState<File | null>(null);
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);

  const choose = (event: ChangeEvent<HTMLInputElement>) => {
    const given = event.target.files?.[0] ?? null;
    setPicture(given);
    setProblem(given === null ? '' : mistakeOf(given, say));
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const name = { zh: zh.trim(), en: en.trim() };
    if (name.zh === '' || name.en === '') return setProblem(say.nameNeeded);
    if (plan === null && picture === null) return setProblem(say.pictureNeeded);
    const mistake = picture === null ? '' : mistakeOf(picture, say);
    if (mistake !== '') return setProblem(mistake);
    setBusy(true);
    setProblem('');
    try {
      const to = { name, floor: floor === noFloor ? null : floor, picture };
      if (plan !== null) {
        await acts.change(plan, to);
        onDone(plan.id);
      } else if (picture !== null) {
        const made = await acts.add({ id: newPlanId(name.en, plans), name, floor: to.floor, picture });
        onDone(made.id);
      }
    } catch (error) {
      setProblem(pictureProblem(error, language));
    } finally {
      setBusy(false);
    }
  };

  return (
    <Drawer
      open
      title={plan === null ? say.upload : say.change}
      onClose={onClose}
      size={isPhone ? '100%' : 480}
      closable={{ 'aria-label': say.close }}
    >
      <form className="kit-form" onSubmit={(event) => void submit(event)} noValidate>
        <div className="kit-field">
          <label htmlFor={`${id}-file`}>{plan === null ? say.pictureFile : say.otherPicture}</label>
          <input
            id={`${id}-file`}
            type="file"
            accept=".svg,.png,image/svg+xml,image/png"
            aria-describedby={`${id}-file-help`}
            onChange={choose}
          />
          <p id={`${id}-file-help`} className="kit-soft">
            {plan === null ? say.pictureHelp : say.otherPictureHelp}
          </p>
        </div>
        {picture !== null && <Preview picture={picture} />}
        <div className="kit-field">
          <label htmlFor={`${id}-zh`}>{say.nameZh}</label>
          <Input id={`${id}-zh`} value={zh} maxLength={64} required onChange={(event) => setZh(event.target.value)} />
        </div>
        <div className="kit-field">
          <label htmlFor={`${id}-en`}>{say.nameEn}</label>
          <Input id={`${id}-en`} value={en} maxLength={64} required onChange={(event) => setEn(event.target.value)} />
        </div>
        <FloorField id={`${id}-floor`} campus={campus} value={floor} onChange={setFloor} />
        <p className="kit-form-error" role="alert">
          {problem}
        </p>
        <div className="kit-actions">
          <Button type="primary" htmlType="submit" loading={isBusy}>
            {plan === null ? say.upload : say.save}
          </Button>
          <Button onClick={onClose}>{say.cancel}</Button>
        </div>
      </form>
    </Drawer>
  );
}

function FloorField({
  id,
  campus,
  value,
  onChange,
}: {
  readonly id: string;
  readonly campus: CampusView;
  readonly value: string;
  readonly onChange: (floor: string) => void;
}) {
  const say = useWords(words);
  const name = useName();
  return (
    <div className="kit-field">
      <label htmlFor={id}>{say.floor}</label>
      <Select
        id={id}
        value={value}
        onChange={onChange}
        options={[
          { value: noFloor, label: say.grounds },
          ...campus.buildings.map((building) => ({
            label: name(building.name),
            title: name(building.name),
            options: building.floors.map((floor) => ({
              value: floor.id,
              label: `${name(building.name)} · ${name(floor.name)}`,
            })),
          })),
        ]}
      />
    </div>
  );
}

function mistakeOf(picture: File, say: { wrongType: string; tooLarge: string; emptyFile: string }): string {
  if (typeOfPicture(picture) === null) return say.wrongType;
  if (picture.size === 0) return say.emptyFile;
  return picture.size > mostBytes ? say.tooLarge : '';
}

/** The file as a picture, before it is sent. */
function Preview({ picture }: { readonly picture: File }) {
  const say = useWords(words);
  const formats = useFormats();
  const [address, setAddress] = useState('');
  useEffect(() => {
    const made = URL.createObjectURL(picture);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [picture]);
  return (
    <figure className="map-preview">
      {address !== '' && <img src={address} alt={say.preview} />}
      <figcaption className="kit-soft">
        {picture.name} · {formats.bytes(picture.size)}
      </figcaption>
    </figure>
  );
}
