/** Id of a new plan from its English name: nobody reads it but addresses and the audit. */
export function newPlanId(english: string, plans: readonly { readonly id: string }[]): string {
  const slug = english
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 48)
    .replace(/^-+|-+$/g, '');
  const base = slug === '' ? 'plan' : slug;
  const taken = new Set(plans.map(({ id }) => id));
  for (let number = 1; ; number++) {
    const id = number === 1 ? base : `${base}-${number}`;
    if (!taken.has(id)) return id;
  }
}
