import { join } from 'node:path';
import { z } from 'zod';
import { CodedError } from '#edge/runtime/errors.ts';
import { describeMistake } from '#edge/runtime/rule-mistakes.ts';
import { fillTemplate, loadTemplates, type TemplateShelf } from '#edge/runtime/rule-template.ts';
import { actorOf } from './access.ts';
import { fromTemplateAnswer, fromTemplateBody, ruleTemplateSchema } from './rule-schemas.ts';
import { problems } from './schemas.ts';
import type { App, CampusView } from './server.ts';

/** Shipped with the program. */
const folder = join(import.meta.dirname, '../rules/templates');
const savedSchema = z.object({ version: z.number().int(), problems: z.array(z.string()) });

/** Rules that come with the program, to be filled in. */
export function addRuleTemplateRoutes(app: App, { rpc }: CampusView): void {
  let shelf: Promise<TemplateShelf> | null = null;
  /** Read once; a failure is tried again by whoever asks next. */
  const templates = async () => {
    shelf ??= loadTemplates(folder).catch((error: unknown) => {
      shelf = null;
      throw error;
    });
    return (await shelf).templates;
  };

  app.get(
    '/api/v1/rules/templates',
    {
      config: { access: 'see' },
      schema: {
        tags: ['rules'],
        summary: 'Rules that come with the program, with what is to be filled in',
        response: { ...problems(503), 200: z.array(ruleTemplateSchema) },
      },
    },
    async () =>
      (await templates()).map(({ id, name, about, kind, parameters, body }) => ({
        ...{ id, name, about, kind, body },
        parameters: parameters.map((parameter) => ({ ...parameter })),
      })),
  );

  app.post(
    '/api/v1/rules/from-template',
    {
      config: { access: 'rules', wholeCampus: true },
      schema: {
        tags: ['rules'],
        summary: 'The body of a rule made from a template; with `save`, also saved as a version that does not run yet',
        body: fromTemplateBody,
        response: { ...problems(400, 404, 409, 503), 200: fromTemplateAnswer },
      },
    },
    async (request) => {
      const { template: wanted, id, name, values, save } = request.body;
      const template = (await templates()).find((one) => one.id === wanted);
      if (template === undefined) throw new CodedError('TEMPLATE_NOT_FOUND', `there is no template "${wanted}"`);
      const { body, mistakes } = fillTemplate(template, values, { id, ...(name === undefined ? {} : { name }) });
      const filled = { body: { ...body }, mistakes: mistakes.map(describeMistake) };
      if (save === undefined || mistakes.length > 0) return { ...filled, version: null, problems: [] };
      const given = { id, body, ...save, origin: 'template', ...actorOf(request) };
      return { ...filled, ...savedSchema.parse(await rpc.call('rule.save', given, 40_000)) };
    },
  );
}
