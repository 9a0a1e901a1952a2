import { useOwnerText } from '../../names.ts';

/** Who did it: people by their names, as the server says them; rules, devices and ourselves as everywhere. */
export function useWho(): (who: string) => string {
  const owner = useOwnerText();
  return (who) => (who.includes(':') || who === 'core' ? owner(who) : who);
}
