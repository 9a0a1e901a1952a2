import { hashOf } from '../../address.ts';
import { CardTable } from '../../kit/card-table.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import type { PastView } from './data.ts';
import { EmergencyIcon } from './kind-icon.tsx';
import { useWho } from './who.ts';
import { words } from './words.ts';

export function Past({ past, problem }: { readonly past: readonly PastView[]; readonly problem: string }) {
  const say = useWords(words);
  const formats = useFormats();
  const owner = useWho();
  if (past.length === 0)
    return (
      <Panel title={say.past}>
        <p className="kit-soft">{problem === '' ? say.noPast : say.pastUnread(problem)}</p>
      </Panel>
    );
  return (
    <Panel title={say.past}>
      <CardTable<PastView>
        label={say.past}
        rows={past}
        keyOf={({ id }) => id}
        columns={[
          {
            key: 'what',
            title: say.pastWhat,
            render: (one) => (
              <span className="emergency-past">
                <EmergencyIcon kind={one.kind} />
                {one.drill && <span className="emergency-drill">{say.drillMark}</span>}
                {say[`kind:${one.kind}`]}
              </span>
            ),
          },
          { key: 'when', title: say.pastWhen, render: (one) => formats.moment(one.since, now()) },
          {
            key: 'lasted',
            title: say.pastLasted,
            render: (one) => (one.cleared === null ? say.going : formats.duration(one.cleared - one.since)),
          },
          { key: 'by', title: say.pastBy, render: (one) => owner(one.by) },
        ]}
        actions={{
          title: say.pastOpen,
          render: (one) => (
            <a className="kit-button" href={hashOf(`/emergency/${one.id}`)}>
              {say.pastOpen}
            </a>
          ),
        }}
      />
    </Panel>
  );
}
