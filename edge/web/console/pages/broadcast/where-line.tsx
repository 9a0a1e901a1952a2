import { useName, useWords } from '../../kit/language.tsx';
import { useZoneName } from '../../names.ts';
import type { Room } from './data.ts';
import { wishOf } from './selection.ts';
import { words } from './words.ts';

/** The rooms of an act, in words: whole zones by their name. */
export function WhereLine({ rooms, all }: { readonly rooms: readonly Room[]; readonly all: readonly Room[] }) {
  const say = useWords(words);
  const name = useName();
  const zone = useZoneName();
  const { zones, devices } = wishOf(new Set(rooms.map(({ device }) => device)), all);
  const single = rooms.filter(({ device }) => devices.includes(device)).map((room) => name(room.name));
  const parts = zones === 'all' ? [say.whereAll] : [...zones.map(zone), ...single];
  return (
    <p className="broadcast-where">
      <span className="kit-soft">{say.where}</span>
      <strong>
        {parts.slice(0, 4).join(' · ')}
        {parts.length > 4 && ' …'}
      </strong>
      <span className="kit-soft">{say.inRooms(rooms.length)}</span>
    </p>
  );
}
