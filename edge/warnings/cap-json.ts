import { z } from 'zod';
import {
  type PublicWarning,
  warningCategories,
  warningCertainties,
  warningScopes,
  warningSeverities,
  warningStatuses,
  warningTypes,
  warningUrgencies,
} from '#edge/domain/warning.ts';
import { describeIssues } from '#edge/runtime/site.ts';
import { circleOf, cleanText, longestText, nameText, polygonOf, referencesOf, refuse, timeOf } from './cap-fields.ts';

const text = z.string().max(longestText).default('');
const named = z
  .array(z.strictObject({ valueName: z.string().min(1).max(200), value: z.string().max(1000) }))
  .max(100)
  .default([]);
const area = z.strictObject({
  areaDesc: z.string().min(1).max(longestText),
  polygon: z.array(z.string().max(100_000)).max(100).default([]),
  circle: z.array(z.string().max(200)).max(100).default([]),
  geocode: named,
});
const info = z.strictObject({
  language: z
    .string()
    .regex(/^[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8}){0,4}$/)
    .default('zh-CN'),
  category: z.array(z.enum(warningCategories)).min(1).max(12),
  event: z.string().min(1).max(longestText),
  responseType: z.array(z.string().max(100)).max(20).default([]),
  urgency: z.enum(warningUrgencies),
  severity: z.enum(warningSeverities),
  certainty: z.enum(warningCertainties),
  effective: z.string().optional(),
  onset: z.string().optional(),
  expires: z.string().optional(),
  senderName: text,
  headline: text,
  description: text,
  instruction: text,
  parameter: named,
  area: z.array(area).max(200).default([]),
});

/** The fields of CAP 1.2 under their own names; what may be repeated is a list, times are text as in the XML. */
export const capJsonSchema = z.strictObject({
  identifier: z.string(),
  sender: z.string(),
  sent: z.string(),
  status: z.enum(warningStatuses),
  msgType: z.enum(warningTypes),
  scope: z.enum(warningScopes),
  note: text,
  references: z.string().max(60_000).default(''),
  info: z.array(info).max(20).default([]),
});

/** Throws CAP_INVALID, a line for each mistake. */
export function parseCapJson(input: unknown): PublicWarning {
  const parsed = capJsonSchema.safeParse(input);
  if (!parsed.success) throw refuse('message', describeIssues(parsed.error));
  const { info: infos, msgType, ...alert } = parsed.data;
  return {
    identifier: nameText(alert.identifier, 'identifier'),
    sender: nameText(alert.sender, 'sender'),
    sent: timeOf(alert.sent, 'sent'),
    status: alert.status,
    type: msgType,
    scope: alert.scope,
    note: cleanText(alert.note, 'note'),
    references: referencesOf(alert.references, 'references'),
    infos: infos.map((one, index) => infoOf(one, `info[${index}]`)),
  };
}

function infoOf(one: z.output<typeof info>, where: string): PublicWarning['infos'][number] {
  const clean = (field: 'event' | 'senderName' | 'headline' | 'description' | 'instruction') =>
    cleanText(one[field], `${where}.${field}`);
  const time = (field: 'effective' | 'onset' | 'expires') => {
    const given = one[field];
    return given === undefined ? null : timeOf(given, `${where}.${field}`);
  };
  return {
    language: one.language,
    categories: one.category,
    event: clean('event'),
    responses: one.responseType.map((word) => cleanText(word, `${where}.responseType`)),
    urgency: one.urgency,
    severity: one.severity,
    certainty: one.certainty,
    effective: time('effective'),
    onset: time('onset'),
    expires: time('expires'),
    senderName: clean('senderName'),
    headline: clean('headline'),
    description: clean('description'),
    instruction: clean('instruction'),
    parameters: one.parameter.map((pair) => cleanPair(pair, `${where}.parameter`)),
    areas: one.area.map((place, index) => {
      const here = `${where}.area[${index}]`;
      return {
        description: cleanText(place.areaDesc, `${here}.areaDesc`),
        polygons: place.polygon.map((points) => polygonOf(points, `${here}.polygon`)),
        circles: place.circle.map((circle) => circleOf(circle, `${here}.circle`)),
        codes: place.geocode.map((pair) => {
          const { name, value } = cleanPair(pair, `${here}.geocode`);
          return { system: name, code: value };
        }),
      };
    }),
  };
}

function cleanPair({ valueName, value }: { readonly valueName: string; readonly value: string }, where: string) {
  return { name: cleanText(valueName, where), value: cleanText(value, where) };
}
