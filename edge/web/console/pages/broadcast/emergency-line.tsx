import { isEmergency } from '#edge/domain/broadcast.ts';
import { SignIcon } from '../../kit/icons.tsx';
import { useName, useWords } from '../../kit/language.tsx';
import type { ItemView } from './data.ts';
import { words } from './words.ts';

/** Over everything while an emergency sounds, whatever tab is open. */
export function EmergencyLine({ items }: { readonly items: readonly ItemView[] }) {
  const say = useWords(words);
  const name = useName();
  const going = items.filter((item) => isEmergency(item.class) && item.state !== 'over');
  if (going.length === 0) return null;
  return (
    <div className="broadcast-emergency" role="alert">
      {going.map((item) => (
        <p key={item.id} data-drill={item.drill}>
          <SignIcon sign="octagon" size={16} />
          <strong>{item.drill ? say.emergencyDrill(name(item.name)) : say.emergencyOn(name(item.name))}</strong>
          <span>{say.inRooms(item.outputs)}</span>
        </p>
      ))}
      <a href="#/emergency">{say.emergencyGo}</a>
    </div>
  );
}
