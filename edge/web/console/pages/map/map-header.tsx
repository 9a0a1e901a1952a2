import { ArrowDownOutlined, ArrowUpOutlined } from '@ant-design/icons';
import { App, Button, Segmented, Select } from 'antd';
import { useState } from 'react';
import type { PlanView } from '../../../place-schemas.ts';
import { goTo } from '../../address.ts';
import type { CampusView } from '../../api.ts';
import { PageHeader } from '../../kit/frame.tsx';
import { useName, useWords } from '../../kit/language.tsx';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { useLink } from '../../use-live.tsx';
import type { PlanActs } from './acts.tsx';
import { mapHash } from './address.ts';
import { PlanForm } from './plan-form.tsx';
import { useFloorName } from './things.ts';
import { words } from './words.ts';

/** More plans than this do not stand beside each other. */
const mostBeside = 5;

/** Which plan; and for those who arrange plans, what can be done to it. */
export function MapHeader({
  plan,
  plans,
  campus,
  acts,
  isEditing,
  mayEdit,
}: {
  readonly plan: PlanView;
  readonly plans: readonly PlanView[];
  readonly campus: CampusView;
  readonly acts: PlanActs;
  readonly isEditing: boolean;
  readonly mayEdit: boolean;
}) {
  const say = useWords(words);
  const name = useName();
  const floorName = useFloorName(campus);
  const [form, setForm] = useState<'new' | 'this' | null>(null);
  const edit = (is: boolean) => goTo(mapHash(plan.id, null, is), 'replace');
  return (
    <>
      <PageHeader
        title={say.title}
        about={[name(plan.name), floorName(plan.floor), say.count(plan.places.length)]
          .filter((part) => part !== '')
          .join(' · ')}
        actions={
          <>
            {plans.length > 1 && <PlanChoice plan={plan} plans={plans} isEditing={isEditing} />}
            {mayEdit && (
              <Button type={isEditing ? 'primary' : 'default'} onClick={() => edit(!isEditing)}>
                {isEditing ? say.done : say.edit}
              </Button>
            )}
          </>
        }
      />
      {isEditing && <EditBar plan={plan} plans={plans} acts={acts} onForm={setForm} />}
      {form !== null && (
        <PlanForm
          plan={form === 'new' ? null : plan}
          plans={plans}
          campus={campus}
          acts={acts}
          onDone={(id) => {
            setForm(null);
            goTo(mapHash(id, null, true), 'replace');
          }}
          onClose={() => setForm(null)}
        />
      )}
    </>
  );
}

function PlanChoice({
  plan,
  plans,
  isEditing,
}: {
  readonly plan: PlanView;
  readonly plans: readonly PlanView[];
  readonly isEditing: boolean;
}) {
  const say = useWords(words);
  const name = useName();
  const isPhone = useMedia(phoneQuery);
  const choose = (id: string) => goTo(mapHash(id, null, isEditing));
  const options = plans.map(({ id, name: own }) => ({ value: id, label: name(own) }));
  if (plans.length <= mostBeside && !isPhone) {
    return <Segmented<string> aria-label={say.plans} value={plan.id} onChange={choose} options={options} />;
  }
  return (
    <Select
      className="map-choice"
      aria-label={say.plans}
      value={plan.id}
      onChange={choose}
      options={options}
      showSearch={{ optionFilterProp: 'label' }}
    />
  );
}

function EditBar({
  plan,
  plans,
  acts,
  onForm,
}: {
  readonly plan: PlanView;
  readonly plans: readonly PlanView[];
  readonly acts: PlanActs;
  readonly onForm: (form: 'new' | 'this') => void;
}) {
  const say = useWords(words);
  const name = useName();
  const { modal } = App.useApp();
  const { state } = useLink();
  const [isBusy, setBusy] = useState(false);
  const at = plans.findIndex(({ id }) => id === plan.id);
  const shift = async (by: -1 | 1) => {
    setBusy(true);
    await acts.shift(plans, plan, by);
    setBusy(false);
  };
  const remove = () =>
    modal.confirm({
      title: say.removeTitle(name(plan.name)),
      content: say.removeHelp(plan.places.length),
      okText: say.remove,
      okButtonProps: { danger: true },
      cancelText: say.cancel,
      onOk: async () => {
        if (await acts.remove(plan)) goTo('#/map', 'replace');
      },
    });
  const isAway = state === 'lost' || state === 'core-away';
  return (
    <div className="map-edit" role="toolbar" aria-label={say.editBar}>
      <p>{say.editHelp}</p>
      <Button disabled={isAway} onClick={() => onForm('new')}>
        {say.upload}
      </Button>
      <Button disabled={isAway} onClick={() => onForm('this')}>
        {say.change}
      </Button>
      {plans.length > 1 && (
        <>
          <Button icon={<ArrowUpOutlined />} disabled={isAway || isBusy || at <= 0} onClick={() => void shift(-1)}>
            {say.earlier}
          </Button>
          <Button
            icon={<ArrowDownOutlined />}
            disabled={isAway || isBusy || at >= plans.length - 1}
            onClick={() => void shift(1)}
          >
            {say.later}
          </Button>
        </>
      )}
      <Button danger disabled={isAway} onClick={remove}>
        {say.remove}
      </Button>
      {isAway && <span className="kit-soft">{say.away}</span>}
    </div>
  );
}
