import type { EnergyReportView } from '../../../energy-schemas.ts';
import { CardTable } from '../../kit/card-table.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useName, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { useCourse } from './course-panel.tsx';
import { fairlyKnown, type MediumReport, wholeKnown } from './data.ts';
import { useFigures } from './figures.ts';
import { AmountText, MeterTable } from './meter-table.tsx';
import { Figure } from './now-strip.tsx';
import { DemandTable, PowerFactorTable } from './report-demand.tsx';
import { reportWords } from './report-words.ts';
import { mediumText, subItemText } from './terms.ts';
import { Unaccounted } from './where-panel.tsx';

type SubItemRow = MediumReport['subItems'][number];
type BuildingRow = MediumReport['buildings'][number];
type CostPart = MediumReport['costParts'][number];

/** One medium: its figures, its course, and what it is made of. */
export function MediumSection({
  medium,
  report,
}: {
  readonly medium: MediumReport;
  readonly report: EnergyReportView;
}) {
  const say = useWords(reportWords);
  const { terms } = useFigures();
  const title = mediumText(terms, medium.medium);
  return (
    <section className="energy-section" data-medium={medium.medium} aria-label={title}>
      <h2 className="energy-section-title">
        {title} <span className="kit-soft">{say.code(medium.code)}</span>
      </h2>
      <KeyFigures medium={medium} report={report} />
      <CoursePanel medium={medium} report={report} />
      <div className="energy-tables">
        {medium.subItems.length > 0 && medium.medium === 'electricity' && <SubItems medium={medium} report={report} />}
        {medium.costParts.length > 1 && <CostParts medium={medium} report={report} />}
      </div>
      {medium.buildings.length > 0 && <Buildings medium={medium} report={report} />}
      <Panel title={say.meters}>
        <MeterTable medium={medium} currency={medium.cost === null ? null : report.currency} />
      </Panel>
      <Unaccounted medium={medium} />
      {medium.medium === 'electricity' && (
        <>
          {report.demand.length > 0 && <DemandTable demand={report.demand} currency={report.currency} />}
          {report.powerFactor.length > 0 && <PowerFactorTable powerFactor={report.powerFactor} />}
        </>
      )}
    </section>
  );
}

interface Props {
  readonly medium: MediumReport;
  readonly report: EnergyReportView;
}

function KeyFigures({ medium, report }: Props) {
  const say = useWords(reportWords);
  const figures = useFigures();
  const { total, before, baseline, cost, base, unit } = medium;
  const isFair = total.known >= fairlyKnown;
  const toBefore = isFair && before.known >= fairlyKnown ? figures.change(total.value, before.value) : null;
  const toUsual = isFair ? figures.change(total.value, baseline) : null;
  const knownText = total.value !== null && total.known < wholeKnown ? figures.known(total.known) : '';
  return (
    <dl className="energy-strip">
      <Figure
        name={say.total}
        value={figures.number(total.value)}
        unit={total.value === null ? '' : figures.unit(unit)}
        help={knownText}
        isLarge
        id="total"
      />
      <Figure
        name={say.before}
        value={figures.amount(before.value, unit)}
        help={
          toBefore === null
            ? before.known < wholeKnown && before.value !== null
              ? figures.known(before.known)
              : ''
            : say.against(toBefore.text)
        }
      />
      <Figure
        name={say.baseline}
        value={figures.amount(baseline, unit)}
        help={baseline === null ? say.baselineUnknown : toUsual === null ? '' : say.againstUsual(toUsual.text)}
      />
      {cost !== null && <Figure name={say.cost} value={figures.money(cost, report.currency)} help={say.energyCost} />}
      <Figure
        name={say.night}
        value={figures.power(base.night, medium.medium)}
        help={base.share === null ? '' : `${say.baseShare} ${figures.percent(base.share)}`}
      />
      <Figure name={say.weekend} value={figures.power(base.weekend, medium.medium)} />
    </dl>
  );
}

function CoursePanel({ medium, report }: Props) {
  const say = useWords(reportWords);
  const { course, unit, total } = medium;
  const upTo = report.running ? now() : report.to;
  const { button, shown } = useCourse({ course, unit, kind: report.kind, now: upTo, total: total.value });
  return (
    <Panel title={report.kind === 'day' ? say.course : say.courseDays} extra={button} className="energy-course-panel">
      {shown}
    </Panel>
  );
}

function SubItems({ medium, report }: Props) {
  const say = useWords(reportWords);
  const figures = useFigures();
  return (
    <Panel title={say.subItems}>
      <CardTable<SubItemRow>
        label={say.subItems}
        rows={medium.subItems}
        keyOf={({ subItem }) => subItem ?? 'none'}
        minWidth={380}
        columns={[
          {
            key: 'item',
            title: say.item,
            render: ({ subItem, code }) => (
              <>
                {subItemText(figures.terms, subItem)} {code !== null && <span className="kit-soft">{code}</span>}
              </>
            ),
          },
          {
            key: 'amount',
            title: say.amount,
            align: 'right',
            render: (row) => <AmountText amount={row.amount} unit={medium.unit} />,
          },
          { key: 'share', title: say.share, align: 'right', render: ({ share }) => figures.percent(share) },
          { key: 'cost', title: say.cost, align: 'right', render: ({ cost }) => figures.money(cost, report.currency) },
        ]}
      />
    </Panel>
  );
}

function Buildings({ medium, report }: Props) {
  const say = useWords(reportWords);
  const name = useName();
  const figures = useFigures();
  const per = (value: number | null, unit: string) => (value === null ? '—' : `${figures.fine(value)} ${unit}`);
  const unit = figures.unit(medium.unit);
  return (
    <Panel title={say.buildings}>
      <CardTable<BuildingRow>
        label={say.buildings}
        rows={medium.buildings}
        keyOf={({ building }) => building ?? 'none'}
        minWidth={560}
        columns={[
          { key: 'building', title: say.building, render: (row) => name(row.name) },
          {
            key: 'amount',
            title: say.amount,
            align: 'right',
            render: (row) => <AmountText amount={row.amount} unit={medium.unit} />,
          },
          { key: 'share', title: say.share, align: 'right', render: ({ share }) => figures.percent(share) },
          { key: 'cost', title: say.cost, align: 'right', render: ({ cost }) => figures.money(cost, report.currency) },
          {
            key: 'area',
            title: say.perArea,
            align: 'right',
            render: ({ perArea }) => per(perArea, figures.terms.perArea(unit)),
          },
          {
            key: 'head',
            title: say.perHead,
            align: 'right',
            render: ({ perHead }) => per(perHead, figures.terms.perHead(unit)),
          },
        ]}
      />
    </Panel>
  );
}

/** Of a tariff with periods: what was taken at which price. */
function CostParts({ medium, report }: Props) {
  const say = useWords(reportWords);
  const name = useName();
  const figures = useFigures();
  const total = medium.costParts.reduce((sum, { cost }) => sum + cost, 0);
  return (
    <Panel
      title={say.costParts}
      extra={<span className="kit-number">{`${say.sum} ${figures.money(total, report.currency)}`}</span>}
    >
      <CardTable<CostPart>
        label={say.costParts}
        rows={medium.costParts}
        keyOf={(part) => `${part.name.en} ${part.price}`}
        minWidth={380}
        columns={[
          { key: 'period', title: say.tariffPeriod, render: (part) => name(part.name) },
          {
            key: 'price',
            title: say.price,
            align: 'right',
            render: ({ price }) => figures.money(price, report.currency),
          },
          {
            key: 'amount',
            title: say.amount,
            align: 'right',
            render: ({ amount }) => figures.amount(amount, medium.unit),
          },
          { key: 'cost', title: say.cost, align: 'right', render: ({ cost }) => figures.money(cost, report.currency) },
        ]}
      />
    </Panel>
  );
}
