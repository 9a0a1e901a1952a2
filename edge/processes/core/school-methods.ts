import { z } from 'zod';
import { slugPattern } from '#edge/domain/ids.ts';
import type { HolidayYear, SchoolOverride } from '#edge/domain/school.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { RpcMethod } from '#edge/runtime/rpc.ts';
import { mostEntries, overrideWhatSchema, schoolYearSchema } from '#edge/runtime/school-schema.ts';
import { asked, checked } from './rpc-params.ts';
import type { SchoolBook } from './school-book.ts';
import type { SchoolClockWatch } from './school-clock.ts';
import type { SchoolDesk } from './school-desk.ts';

/* What web may ask of the school day; each answers when its effect is on disk. */

const why = z.string().min(1).max(300);
const slug = z.string().regex(slugPattern, 'must be a slug');
const id = z.string().min(1).max(80);
const rev = z.int().min(0);
const time = z.int().min(0);
const putParams = z.strictObject({
  changes: z
    .array(z.strictObject({ id: slug, rev, body: z.record(z.string(), z.unknown()).nullable() }))
    .min(1)
    .max(mostEntries),
  why: z.string().max(300),
  ...asked,
});
const signParams = z.strictObject({
  first: z.iso.date(),
  last: z.iso.date(),
  revs: z.record(slug, z.int().min(1)),
  accept: z.array(z.string().max(300)).max(2_000),
  why,
  ...asked,
});
const actParams = z.strictObject({ id, why, ...asked });
const overrideParams = z.strictObject({
  what: overrideWhatSchema,
  layer: slug,
  since: time,
  until: time,
  why,
  ...asked,
});
const answerParams = z.strictObject({ key: z.string().min(1).max(200), give: z.boolean(), why, ...asked });
const clockParams = z.strictObject({ believe: z.boolean(), why, ...asked });
const yearParams = z.strictObject({ year: schoolYearSchema, why, ...asked });

export interface SchoolMethodsOptions {
  readonly book: SchoolBook;
  readonly desk: SchoolDesk;
  readonly clockWatch: SchoolClockWatch;
}

export function createSchoolMethods(options: SchoolMethodsOptions): Readonly<Record<string, RpcMethod>> {
  const { book, desk, clockWatch } = options;
  return {
    'school.now': checked(z.strictObject({}), async () => desk.now()),
    'school.put': checked(putParams, async ({ changes, why, who, from }) => {
      const twice = changes.find((one, i) => changes.findIndex((other) => other.id === one.id) !== i);
      if (twice !== undefined) throw new CodedError('RPC_PARAMS', `changes: "${twice.id}" is in them twice`);
      const gone = changes.find(({ body, rev: seen }) => body === null && seen === 0);
      if (gone !== undefined)
        throw new CodedError('RPC_PARAMS', `${gone.id}: there is nothing to remove at revision 0`);
      return { revs: await book.put(changes, why, { who, from }) };
    }),
    'school.sign': checked(signParams, async ({ who, from, first, last, ...given }) => {
      const { entries: _, ...release } = await book.sign({ ...given, from: first, to: last }, { who, from });
      return release;
    }),
    'school.undo': checked(actParams, async ({ id: release, why, who, from }) => {
      const { entries: _, ...undone } = await book.undo(release, why, { who, from });
      return undone;
    }),
    'school.override': checked(overrideParams, ({ who, from, since, ...wish }) =>
      book.override({ ...wish, from: since } as Omit<SchoolOverride, 'id' | 'by'>, { who, from }),
    ),
    'school.override.end': checked(actParams, ({ id: override, why, who, from }) =>
      book.endOverride(override, why, { who, from }),
    ),
    'school.answer': checked(answerParams, ({ key, give, why, who, from }) =>
      desk.answer(key, give, why, { who, from }),
    ),
    'school.clock': checked(clockParams, async ({ believe, why, who, from }) => {
      await clockWatch.vouch(believe, why, { who, from });
      return {};
    }),
    'school.year': checked(yearParams, async ({ year, why, who, from }) => {
      await book.putYear(year as HolidayYear, why, { who, from });
      return {};
    }),
  };
}
