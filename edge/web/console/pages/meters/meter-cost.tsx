import type { EnergyMeterPageView } from '../../../energy-schemas.ts';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useName, useWords } from '../../kit/language.tsx';
import { useFigures } from '../energy/figures.ts';
import { words } from './words.ts';

/** Which hours cost what: each tariff period with its amount, price and money. */
export function CostParts({ view: { meter, costParts, currency, cost } }: { readonly view: EnergyMeterPageView }) {
  const say = useWords(words);
  const name = useName();
  const formats = useFormats();
  const figures = useFigures();
  const most = Math.max(...costParts.map((part) => part.cost), 1e-6);
  return (
    <Panel title={say.costParts} className="meters-cost">
      {costParts.length === 0 ? (
        <p className="kit-soft meters-well">{say.noCost}</p>
      ) : (
        <table className="meters-cost-table">
          <thead>
            <tr>
              <th scope="col">{say.tariffPeriod}</th>
              <th scope="col">{say.amount}</th>
              <th scope="col">{say.price}</th>
              <th scope="col">{say.cost}</th>
            </tr>
          </thead>
          <tbody>
            {costParts.map((part) => (
              <tr key={`${part.name.zh} ${part.price}`}>
                <th scope="row">
                  {name(part.name)}
                  <span className="meters-cost-bar" aria-hidden="true">
                    <span style={{ width: `${(Math.max(0, part.cost) / most) * 100}%` }} />
                  </span>
                </th>
                <td>{figures.amount(part.amount, meter.unit)}</td>
                <td>{formats.number(part.price, 4)}</td>
                <td>{figures.money(part.cost, currency)}</td>
              </tr>
            ))}
          </tbody>
          {costParts.length > 1 && (
            <tfoot>
              <tr>
                <th scope="row">{say.sum}</th>
                <td>
                  {figures.amount(
                    costParts.reduce((sum, { amount }) => sum + amount, 0),
                    meter.unit,
                  )}
                </td>
                <td />
                <td>{figures.money(cost, currency)}</td>
              </tr>
            </tfoot>
          )}
        </table>
      )}
    </Panel>
  );
}
