import { useQuery } from '@tanstack/react-query';
import { Segmented } from 'antd';
import { useMemo, useState } from 'react';
import type { PlanView } from '../../../place-schemas.ts';
import { type AlarmView, api, type CampusView, type PointView } from '../../api.ts';
import { useWorstAlarms } from '../../device-status.ts';
import { headlineOf } from '../../headline.ts';
import { fromHere } from '../../kit/download.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useName, useWords } from '../../kit/language.tsx';
import { PageSkeleton } from '../../kit/states.tsx';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { useRight } from '../../session.tsx';
import { useCampus, usePoints } from '../../use-live.tsx';
import { DeviceChip } from './device-chip.tsx';

import { words } from './words.ts';
import { ZoneTiles } from './zone-tiles.tsx';

const noPlan = 'zones';

/** The first plan with what lies on it; the zones where there is none, or when a person prefers them. */
export function PlacePanel() {
  const say = useWords(words);
  const name = useName();
  const campus = useCampus();
  const points = usePoints();
  const alarms = useWorstAlarms();
  const mayPlace = useRight('devices');
  const plans = useQuery({
    queryKey: ['plans'],
    queryFn: ({ signal }) => api.get<readonly PlanView[]>('plans', signal),
    staleTime: 60_000,
  });
  const isPhone = useMedia(phoneQuery);
  const [chosen, setChosen] = useState<string | null>(null);
  const headlines = useMemo(() => {
    const byDevice = Map.groupBy(points ?? [], (point) => point.device);
    return new Map(
      [...byDevice].flatMap(([id, own]) =>
        headlineOf(own) === undefined ? [] : [[id, headlineOf(own)] as [string, PointView]],
      ),
    );
  }, [points]);
  if (campus === undefined || points === undefined || plans.isPending) {
    return (
      <Panel title={say.map} className="overview-map">
        <PageSkeleton />
      </Panel>
    );
  }
  const known = (plans.data ?? []).toSorted((a, b) => a.order - b.order);
  // Glyphs of 44 px would cover a plan of a phone's width.
  const isByZone = chosen === noPlan || (chosen === null && isPhone);
  const plan = isByZone ? undefined : (known.find(({ id }) => id === chosen) ?? known[0]);
  const link = (
    <a href="#/map" className="overview-link">
      {known.length === 0 && mayPlace ? say.uploadPlan : say.openMap}
    </a>
  );
  return (
    <Panel
      title={
        known.length === 0 ? (
          <>
            {say.map} <span className="kit-soft overview-note">{say.noPlan}</span>
          </>
        ) : (
          <Segmented
            size="small"
            aria-label={say.plans}
            value={plan?.id ?? noPlan}
            onChange={setChosen}
            options={[
              ...known.map(({ id, name: planName }) => ({ value: id, label: name(planName) })),
              { value: noPlan, label: say.zones },
            ]}
          />
        )
      }
      extra={link}
      className={`overview-map ${plan === undefined ? '' : 'overview-plan'}`}
    >
      {plan === undefined ? (
        <ZoneTiles campus={campus} headlines={headlines} alarms={alarms} />
      ) : (
        <PlanPicture plan={plan} campus={campus} headlines={headlines} alarms={alarms} />
      )}
    </Panel>
  );
}

function PlanPicture({
  plan,
  campus,
  headlines,
  alarms,
}: {
  readonly plan: PlanView;
  readonly campus: CampusView;
  readonly headlines: ReadonlyMap<string, PointView>;
  readonly alarms: ReadonlyMap<string, AlarmView>;
}) {
  const say = useWords(words);
  const name = useName();
  const devices = new Map(campus.devices.map((device) => [device.id, device]));
  return (
    <div
      className="plan"
      style={{ aspectRatio: `${plan.width} / ${plan.height}`, ['--plan-ratio' as string]: plan.width / plan.height }}
    >
      <img src={fromHere(`api/v1/plans/${plan.id}/image?rev=${plan.rev}`)} alt={say.mapOf(name(plan.name))} />
      {plan.places.map(({ device: id, x, y }) => {
        const device = devices.get(id);
        if (device === undefined) return null;
        return (
          <span key={id} className="plan-place" style={{ left: `${x * 100}%`, top: `${y * 100}%` }}>
            <DeviceChip device={device} headline={headlines.get(id)} alarm={alarms.get(id)} look="glyph" />
          </span>
        );
      })}
      {plan.places.length === 0 && (
        <p className="plan-empty">
          {say.noPlaces} <a href="#/map">{say.place}</a>
        </p>
      )}
    </div>
  );
}
