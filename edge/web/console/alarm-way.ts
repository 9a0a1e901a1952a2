import { hashOf } from './address.ts';
import type { AlarmView } from './api.ts';

/** Where an alarm of that kind is dealt with. */
export interface AlarmWay {
  readonly kind: 'counter' | 'demand' | 'energy';
  readonly href: string;
}

/** The page on which something can be done about an alarm of counters or energy; null: it has none of its own. Pure. */
export function wayOf({ source }: Pick<AlarmView, 'source'>): AlarmWay | null {
  const [, kind, id = ''] = /^(counter|demand|energy):(.+)$/.exec(source) ?? [];
  if (kind === 'counter') return { kind, href: hashOf('/energy/counters', { ref: id }) };
  if (kind === 'demand') return { kind, href: hashOf('/energy') };
  if (kind === 'energy') return { kind, href: hashOf(`/energy/meters/${id.split('/')[0] ?? ''}`) };
  return null;
}
