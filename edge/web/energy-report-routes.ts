import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { audit } from './documents.ts';
import { reportCsv } from './energy-report-csv.ts';
import { createPrinter } from './energy-report-printer.ts';
import type { Energy } from './energy-routes.ts';
import { type EnergyReportView, energyPeriodQuery } from './energy-schemas.ts';
import { problems } from './schemas.ts';
import type { App, CampusView } from './server.ts';

const query = energyPeriodQuery.extend({ language: z.enum(['zh', 'en']).default('zh') });

/** The report as files that leave the house: with the right `export`, and in the audit before the first byte. */
export function addEnergyReportRoutes(app: App, { rpc, site }: Pick<CampusView, 'rpc' | 'site'>, energy: Energy): void {
  const printer = createPrinter();
  app.addHook('onClose', () => printer[Symbol.asyncDispose]());

  const audited = async (request: FastifyRequest, report: EnergyReportView, format: 'csv' | 'pdf') => {
    const { isWhole } = energy.scopeFor(request);
    const result = `${report.first} to ${report.last}, ${isWhole ? 'whole campus' : 'meters of own zones'}`;
    await audit(rpc, request, { what: `export energy ${report.kind} ${format}`, result });
  };

  app.get(
    '/api/v1/energy/report.csv',
    {
      config: { access: 'export' },
      schema: {
        tags: ['energy'],
        summary: 'The same as one long table for spreadsheets (UTF-8 with BOM): filter it by its first columns',
        querystring: query,
        response: {
          ...problems(400, 429, 503),
          200: { description: 'the table', content: { 'text/csv': { schema: z.unknown() } } },
        },
      },
    },
    async (request, reply) => {
      const { language, ...period } = request.query;
      const report = await energy.report(request, period);
      const table = reportCsv(report, language, energy.localTime, energy.clock.now());
      await audited(request, report, 'csv');
      return named(reply, report, 'csv', 'text/csv; charset=utf-8').send(table);
    },
  );

  app.get(
    '/api/v1/energy/report.pdf',
    {
      config: { access: 'export' },
      schema: {
        tags: ['energy'],
        summary: 'The same on paper, A4; two are drawn at a time',
        querystring: query,
        response: {
          ...problems(400, 429, 503),
          200: { description: 'the report', content: { 'application/pdf': { schema: z.unknown() } } },
        },
      },
    },
    async (request, reply) => {
      const { language, ...period } = request.query;
      await using drawing = printer.begin(language);
      const report = await energy.report(request, period);
      const file = await drawing.draw({ report, timeZone: site.campus.timeZone, made: energy.clock.now() });
      await audited(request, report, 'pdf');
      return named(reply, report, 'pdf', 'application/pdf').send(file);
    },
  );
}

function named(reply: FastifyReply, { kind, first }: EnergyReportView, format: string, type: string): FastifyReply {
  return reply
    .type(type)
    .header('cache-control', 'no-store')
    .header('content-disposition', `attachment; filename="energy_${kind}_${first}.${format}"`);
}
