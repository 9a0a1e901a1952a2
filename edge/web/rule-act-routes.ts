import { z } from 'zod';
import { actorOf } from './access.ts';
import { ruleParams } from './rule-routes.ts';
import {
  givenBodySchema,
  ruleActAnswer,
  ruleActBody,
  ruleCheckSchema,
  ruleDecideBody,
  ruleDraftBody,
} from './rule-schemas.ts';
import { problems } from './schemas.ts';
import type { App, CampusView } from './server.ts';

/** A rule's body and what is around it. */
const bodyLimit = 150_000;
/** Its tests are played before it runs, ms. */
const patience = 40_000;
const savedSchema = z.object({ version: z.number().int(), problems: z.array(z.string()) });

/**
 * What people do to rules: write, check, activate, propose, approve, turn down, put in shadow, remove. Core does it, and answers when it
 * is on disk and runs. A rule knows no zones: all of it is for those who see the whole campus.
 */
export function addRuleActRoutes(app: App, { rpc }: CampusView): void {
  app.post(
    '/api/v1/rules/check',
    {
      bodyLimit,
      config: { access: 'rules', wholeCampus: true },
      schema: {
        tags: ['rules'],
        summary: 'What is wrong with a rule, where it would run, and whether its tests come true; saves nothing',
        body: z.strictObject({ body: givenBodySchema }),
        response: { ...problems(400, 503), 200: ruleCheckSchema },
      },
    },
    async (request) => ruleCheckSchema.parse(await rpc.call('rule.check', { body: request.body.body }, patience)),
  );

  app.post(
    '/api/v1/rules/:id/versions',
    {
      bodyLimit,
      config: { access: 'rules', wholeCampus: true },
      schema: {
        tags: ['rules'],
        summary: 'Save a new version, which does not run yet; a new rule has base 0',
        description: '400 rule-invalid: a line per mistake. 409 rule-changed: somebody saved a newer version.',
        params: ruleParams,
        body: ruleDraftBody,
        response: { ...problems(400, 409, 503), 200: savedSchema },
      },
    },
    async (request) => {
      const given = { id: request.params.id, ...request.body, origin: 'person', ...actorOf(request) };
      return savedSchema.parse(await rpc.call('rule.save', given, patience));
    },
  );

  const acts = {
    activate: {
      access: 'rules',
      summary: 'Make a version run, or (version null) turn the rule off; of a safety rule that is a proposal',
    },
    shadow: { access: 'rules', summary: 'Let a version watch and act on nothing, or (null) no longer' },
  } as const;
  for (const [act, { access, summary }] of Object.entries(acts)) {
    app.post(
      `/api/v1/rules/:id/${act}`,
      {
        config: { access, wholeCampus: true },
        schema: {
          tags: ['rules'],
          summary,
          params: ruleParams,
          body: ruleActBody,
          response: { ...problems(400, 404, 409, 503), 200: ruleActAnswer },
        },
      },
      async (request) => {
        const given = { id: request.params.id, ...request.body, ...actorOf(request) };
        return ruleActAnswer.parse(await rpc.call(`rule.${act}`, given, patience));
      },
    );
  }

  const decisions = {
    approve: 'Approve, as another person, exactly what was proposed for a safety rule: then it runs',
    reject: 'Turn down what was proposed for a safety rule',
  } as const;
  for (const [act, summary] of Object.entries(decisions)) {
    app.post(
      `/api/v1/rules/:id/${act}`,
      {
        config: { access: 'safety', wholeCampus: true },
        schema: {
          tags: ['rules'],
          summary,
          params: ruleParams,
          body: ruleDecideBody,
          response: { ...problems(400, 404, 409, 503), 200: ruleActAnswer },
        },
      },
      async (request) => {
        const given = { id: request.params.id, ...request.body, ...actorOf(request) };
        return ruleActAnswer.parse(await rpc.call(`rule.${act}`, given, patience));
      },
    );
  }

  app.post(
    '/api/v1/rules/:id/remove',
    {
      config: { access: 'rules', wholeCampus: true },
      schema: {
        tags: ['rules'],
        summary: 'Remove a rule that does not run, with all its versions; what it decided stays in the journal',
        params: ruleParams,
        body: z.strictObject({ why: z.string().min(1).max(300) }),
        response: { ...problems(400, 404, 409, 503), 200: ruleActAnswer },
      },
    },
    async (request) => {
      const given = { id: request.params.id, ...request.body, ...actorOf(request) };
      return ruleActAnswer.parse(await rpc.call('rule.remove', given));
    },
  );
}
