import type { Emergency, EmergencyCause, EmergencyOrigin } from '#edge/domain/emergency.ts';

/* Who asks for an emergency: several may, and it goes on while one of them does. */

/** Two words of the same key are one cause: the newer one counts. */
export function causeKey(origin: EmergencyOrigin): string {
  switch (origin.kind) {
    case 'person':
      return 'person';
    case 'rule':
      return `rule ${origin.rule}`;
    case 'panel':
      return `panel ${origin.device}`;
    case 'warning':
      return `warning ${origin.key}`;
    case 'terminal':
      return `terminal ${origin.event}`;
  }
}

export function causeOf(causes: readonly EmergencyCause[], origin: EmergencyOrigin): EmergencyCause | undefined {
  const key = causeKey(origin);
  return causes.find((one) => causeKey(one.origin) === key);
}

export function withCause(causes: readonly EmergencyCause[], cause: EmergencyCause): readonly EmergencyCause[] {
  const before = causeOf(causes, cause.origin);
  return before === undefined ? [...causes, cause] : causes.map((one) => (one === before ? cause : one));
}

export function rulesOf(causes: readonly EmergencyCause[]): readonly string[] {
  return causes.flatMap(({ origin }) => (origin.kind === 'rule' ? [origin.rule] : []));
}

/** A public warning is its sender's alone: what it ends must not be anybody else's. Said twice it is the same all the same. */
export function isTwin(one: Emergency, { kind, drill, origin }: Pick<Emergency, 'kind' | 'drill' | 'origin'>): boolean {
  if (one.origin.kind === 'warning' || origin.kind === 'warning') return causeOf(one.causes, origin) !== undefined;
  return one.kind === kind && one.drill === drill;
}

/** null: by a person alone. */
export function untilOf(causes: readonly EmergencyCause[]): number | null {
  let latest: number | null = 0;
  for (const { until } of causes) latest = until === null || latest === null ? null : Math.max(latest, until);
  return latest;
}

/** An arrival that moves by less is the same word, ms: terminals say it again every second. */
const sameArrival = 1_500;

export function isSameWord(before: EmergencyCause, after: EmergencyCause): boolean {
  if (before.until !== after.until) return false;
  const [a, b] = [before.origin, after.origin];
  if (a.kind !== 'terminal' || b.kind !== 'terminal') return true;
  return a.intensity === b.intensity && Math.abs(a.arrival - b.arrival) < sameArrival;
}

/** A document of an older version knows its first cause only. */
export function reopened(stored: Emergency): Emergency {
  const { causes, silent } = stored as Partial<Emergency>;
  return {
    ...stored,
    causes: causes ?? [{ origin: stored.origin, by: stored.by, until: stored.until }],
    silent: silent ?? [],
  };
}
