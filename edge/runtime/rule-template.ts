import { opendir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { z } from 'zod';
import type { OpeningHours } from '#edge/domain/calendar.ts';
import type { Device } from '#edge/domain/device.ts';
import type { DeviceId, PointName, SpaceId, ZoneId } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import { type Rule, ruleKinds, ruleParameterTypes } from '#edge/domain/rule.ts';
import { CodedError, codeOf, messageOf } from './errors.ts';
import { within } from './lifecycle.ts';
import type { RuleBody } from './rule-body.ts';
import { describeMistake, mistake, mistakesOf, type RuleMistake } from './rule-mistakes.ts';
import { parseRule } from './rule-parse.ts';
import { ruleLimits } from './rule-schema.ts';
import { readRuleYaml } from './rule-yaml.ts';
import { slug } from './site-values.ts';
import { fillIn, type ParameterValue, whyNotValue } from './template-values.ts';

/*
 * Rules that come with Campus Edge, with what differs from campus to campus left open: `$name` in the file stands for the value of a
 * parameter. Filled in, it is a rule like any other, and knows its template no more. The campus in the file is a small one on which
 * its tests must pass, so that no template is shipped that was never seen to work (docs/writing-a-rule.md).
 */

const text = z.string().min(1).max(600);
const words = z.strictObject({ zh: text, en: text });
const parameterSchema = z.strictObject({
  id: z.string().regex(/^[a-z][a-zA-Z0-9]{0,30}$/, 'must be a word such as limit or quietHours'),
  name: words,
  type: z.enum(ruleParameterTypes),
  unit: z.string().max(20).optional(),
  /** Absent: whoever uses the template must say it. */
  default: z.unknown().optional(),
  /** What the tests take instead of the default: names that only the small campus has. */
  example: z.unknown().optional(),
  /** Of durations, in seconds. */
  min: z.number().optional(),
  max: z.number().optional(),
});
export type TemplateParameter = z.infer<typeof parameterSchema>;

const campusDevice = z.strictObject({
  id: slug,
  name: words.optional(),
  zone: slug,
  space: slug.optional(),
  tags: z.array(slug).max(20).optional(),
  points: z
    .array(
      z.strictObject({
        name: slug,
        type: z.enum(['number', 'boolean', 'text']).default('number'),
        unit: z.string().max(20).optional(),
        /** It is an output. */
        write: z.literal(true).optional(),
      }),
    )
    .min(1)
    .max(50),
});

const templateSchema = z.looseObject({
  template: z.literal(1, 'must be 1, the version of this format'),
  id: slug,
  name: words,
  about: words,
  kind: z.enum(ruleKinds),
  parameters: z.array(parameterSchema).max(20),
  campus: z.array(campusDevice).min(1).max(100),
  tests: z.array(z.unknown()).min(1, 'has none: a template proves itself').max(ruleLimits.tests),
});

/** The devices of a template's campus, as rules/engine.ts wants them. */
export interface TemplateCampus {
  readonly devices: readonly Device[];
  readonly zones: readonly { readonly id: ZoneId; readonly name: Name; readonly spaces: readonly SpaceId[] }[];
  readonly spaces: readonly { readonly id: SpaceId; readonly name: Name }[];
}

export interface RuleTemplate {
  readonly id: string;
  readonly name: Name;
  readonly about: Name;
  readonly kind: Rule['kind'];
  readonly parameters: readonly TemplateParameter[];
  /** A rule body in which `$name` stands for parameters; without tests. */
  readonly body: RuleBody;
  /** With `$name` too. */
  readonly tests: readonly unknown[];
  readonly campus: TemplateCampus;
}

/** When the tests of templates are played: a school like most. */
export const templateHours: { readonly timeZone: string; readonly openingHours: OpeningHours } = {
  timeZone: 'Asia/Shanghai',
  openingHours: { weekly: [{ days: [1, 2, 3, 4, 5], from: 420, to: 1_110 }], exceptions: [] },
};

export interface FilledTemplate {
  /** A complete rule body; of no use while there are mistakes. */
  readonly body: RuleBody;
  readonly mistakes: readonly RuleMistake[];
}

export type ReadTemplate =
  | { readonly ok: true; readonly template: RuleTemplate }
  | { readonly ok: false; readonly mistakes: readonly RuleMistake[] };

/** Never throws. A template is only one when the rule that its examples make is a good one. */
export function readTemplate(source: string): ReadTemplate {
  const read = readRuleYaml(source);
  if (!read.ok) return read;
  const parsed = templateSchema.safeParse(read.body);
  if (!parsed.success) return { ok: false, mistakes: mistakesOf(parsed.error).map(read.locate) };
  const { template: _, parameters, campus, tests, ...rest } = parsed.data;
  const { id, name, about, kind } = rest;
  const template: RuleTemplate = {
    ...{ id, name, about, kind, parameters, tests },
    body: { rule: 1, ...rest },
    campus: campusOf(campus),
  };
  const mistakes = [
    ...repeatedParameters(parameters),
    ...unusedParameters(template),
    ...exampleRule(template).mistakes,
  ];
  return mistakes.length > 0 ? { ok: false, mistakes: mistakes.map(read.locate) } : { ok: true, template };
}

/**
 * The rule body that a template becomes with these values; what is not said is as its default. `as`: id and name of the new rule,
 * by default those of the template. The template's tests stay behind: they speak of the template's campus.
 */
export function fillTemplate(
  template: RuleTemplate,
  values: Readonly<Record<string, unknown>>,
  as: { readonly id?: string; readonly name?: Name } = {},
): FilledTemplate {
  const { known, mistakes } = chooseValues(template, values);
  const body = { ...(fillIn(template.body, known) as RuleBody), ...as };
  if (mistakes.length > 0) return { body, mistakes };
  const parsed = parseRule(body);
  return { body, mistakes: parsed.ok ? [] : parsed.mistakes };
}

/** The rule that the examples make, with the template's tests: what proves it. */
export function exampleRule(template: RuleTemplate): FilledTemplate & { readonly rule: Rule | null } {
  const examples = Object.fromEntries(
    template.parameters.filter(({ example }) => example !== undefined).map(({ id, example }) => [id, example]),
  );
  const { known, mistakes } = chooseValues(template, examples);
  const body = fillIn({ ...template.body, tests: template.tests }, known) as RuleBody;
  if (mistakes.length > 0) return { body, mistakes, rule: null };
  const parsed = parseRule(body);
  return parsed.ok ? { body, mistakes: [], rule: parsed.rule } : { body, mistakes: parsed.mistakes, rule: null };
}

function chooseValues(template: RuleTemplate, values: Readonly<Record<string, unknown>>) {
  const known = new Map<string, ParameterValue>();
  const mistakes: RuleMistake[] = [];
  for (const parameter of template.parameters) {
    const { id } = parameter;
    const value = Object.hasOwn(values, id) ? values[id] : parameter.default;
    if (value === undefined) {
      mistakes.push(mistake(['parameters', id], 'is missing: it has no default'));
      continue;
    }
    const wrong = whyNotValue(parameter, value);
    if (wrong === null) known.set(id, { type: parameter.type, value });
    else mistakes.push(mistake(['parameters', id], wrong));
  }
  for (const id of Object.keys(values).slice(0, 50)) {
    if (!template.parameters.some((parameter) => parameter.id === id)) {
      mistakes.push(mistake(['parameters', id.slice(0, 64)], 'is no parameter of this template'));
    }
  }
  return { known, mistakes };
}

function repeatedParameters(parameters: readonly TemplateParameter[]): RuleMistake[] {
  return parameters.flatMap(({ id }, i) =>
    parameters.findIndex((other) => other.id === id) === i
      ? []
      : [mistake(['parameters', i, 'id'], `"${id}" is used twice`)],
  );
}

function unusedParameters({ parameters, body }: RuleTemplate): RuleMistake[] {
  const used = new Set([...JSON.stringify(body).matchAll(/\$([a-z][a-zA-Z0-9]*)/g)].map(([, id]) => id));
  const unknown = [...used].filter((id) => id !== undefined && !parameters.some((parameter) => parameter.id === id));
  return [
    ...unknown.map((id) => mistake(['parameters'], `has no "${id}", and $${id} stands in the file`)),
    ...parameters.flatMap(({ id }, i) =>
      used.has(id) ? [] : [mistake(['parameters', i], `$${id} stands nowhere in the file`)],
    ),
  ];
}

function campusOf(given: readonly z.infer<typeof campusDevice>[]): TemplateCampus {
  const nameOf = (id: string): Name => ({ zh: id, en: id });
  const zones = [...new Set(given.map(({ zone }) => zone))];
  const spacesOf = (zone?: string) => [
    ...new Set(
      given.filter((device) => zone === undefined || device.zone === zone).flatMap(({ space }) => space ?? []),
    ),
  ];
  return {
    zones: zones.map((id) => ({ id: id as ZoneId, name: nameOf(id), spaces: spacesOf(id) as SpaceId[] })),
    spaces: spacesOf().map((id) => ({ id: id as SpaceId, name: nameOf(id) })),
    devices: given.map(({ id, name, zone, space, tags, points }) => ({
      id: id as DeviceId,
      name: name ?? nameOf(id),
      profile: 'template/device',
      protocol: 'mqtt',
      zone: zone as ZoneId,
      ...(space === undefined ? {} : { space: space as SpaceId }),
      ...(tags === undefined ? {} : { tags }),
      address: {},
      points: points.map((point) => ({
        name: point.name as PointName,
        label: nameOf(point.name),
        type: point.type,
        unit: point.type === 'number' ? (point.unit ?? '1') : '',
        poll: 'watch',
        deadband: 0,
        staleAfter: 0,
        address: {},
        ...(point.write === undefined
          ? {}
          : { write: { verifyAfter: 200, verifyWithin: 2_000, minGap: 0, failSafe: 'keep' } }),
      })),
    })),
  };
}

// --- the folder -----------------------------------------------------------------------------------------------------

export interface TemplateShelf {
  /** By id. */
  readonly templates: readonly RuleTemplate[];
  readonly broken: readonly { readonly file: string; readonly message: string }[];
}

const mostTemplates = 500;
const readTimeout = 10_000;

/** Reads every `<kind>/<id>.yaml` below a folder. A broken one stops no other. Throws TEMPLATES_UNREADABLE when the folder is not there. */
export async function loadTemplates(folder: string): Promise<TemplateShelf> {
  const templates: RuleTemplate[] = [];
  const broken: { file: string; message: string }[] = [];
  for (const file of await listFiles(folder)) {
    const read = readTemplate(await within(readTimeout, `reading ${file}`, readBounded(join(folder, file))));
    if (!read.ok) broken.push({ file, message: read.mistakes.map(describeMistake).join('\n') });
    else if (`${read.template.kind}/${read.template.id}.yaml` === file) templates.push(read.template);
    else
      broken.push({ file, message: `must be ${read.template.kind}/${read.template.id}.yaml by its kind and its id` });
  }
  return { templates: templates.sort((a, b) => (a.id < b.id ? -1 : 1)), broken };
}

async function listFiles(folder: string): Promise<string[]> {
  const work = async () => {
    const files: string[] = [];
    for await (const entry of await opendir(folder, { recursive: true })) {
      if (!entry.isFile() || !entry.name.endsWith('.yaml') || files.length === mostTemplates) continue;
      files.push(relative(folder, join(entry.parentPath, entry.name)));
    }
    return files.sort();
  };
  try {
    return await within(readTimeout, `listing ${folder}`, work());
  } catch (error) {
    const why = codeOf(error) === 'ENOENT' ? 'it is not there' : messageOf(error);
    throw new CodedError('TEMPLATES_UNREADABLE', `cannot read the templates in ${folder}: ${why}`, { cause: error });
  }
}

/** Ours, shipped with the program: a larger one is cut, and then no YAML. */
async function readBounded(path: string): Promise<string> {
  if ((await stat(path)).size > 4 * ruleLimits.bytes) return '';
  return await readFile(path, 'utf8');
}
