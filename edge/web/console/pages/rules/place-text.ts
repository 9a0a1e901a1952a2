import type { Vocabulary } from './vocabulary.ts';

/** Where an instance is: `co2-ventilate@r101` -> the room; '' for a rule that is nowhere in particular. */
export function placeText(instance: string, v: Vocabulary): string {
  const cut = instance.indexOf('@');
  if (cut < 0) return '';
  const id = instance.slice(cut + 1);
  return [v.spaceName(id), v.zoneName(id), v.deviceName(id)].find((name) => name !== id) ?? id;
}
