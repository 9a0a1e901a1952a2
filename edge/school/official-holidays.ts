import type { HolidayYear } from '#edge/domain/school.ts';
import of2025 from './holidays/2025.json' with { type: 'json' };
import of2026 from './holidays/2026.json' with { type: 'json' };
import { parseHolidayYear } from './holidays.ts';

/** The notices that ship with the program. A campus imports later ones as files of the same form. */
export const officialYears: readonly HolidayYear[] = [of2025, of2026].flatMap((file) => {
  const { year } = parseHolidayYear(file);
  return year === undefined ? [] : [year];
});
