import { describe, expect, inject, it } from 'vitest';
import { tempFolder } from '../fixtures/bridge/campus.ts';
import { check, type Figures, type Findings } from './core-check.ts';
import { type Promises, runKills } from './core-run.ts';

/* A PUBACK, an answer over HTTP and a word on v1/out are promises. Nothing that was promised may be missing afterwards. */

declare module 'vitest' {
  interface ProvidedContext {
    /** Of each process; `npm run verify` gives more. */
    kills?: number;
  }
}

const kills = inject('kills') ?? 5;
const clean: Findings = { lost: [], doubled: [], wrong: [], ghosts: [] };
const seed = 20_261_122;
/** A kill with the return of the process took 1 to 3 s on two busy cores. */
const timeLimit = 60_000 + kills * 15_000;

function say(what: string, { kills, resent }: Promises, figures: Figures, findings: Findings): void {
  console.log(
    `${what}: core killed ${kills.core} times, the city ${kills.city}; ${figures.acknowledged} samples acknowledged ` +
      `(${resent} sent again), ${figures.stored} stored; ${figures.events} events, ${figures.alarms} alarms, ` +
      `${figures.requests} requests, ${figures.city} rows at the city; lost ${findings.lost.length}, ` +
      `doubled ${findings.doubled.length}, wrong ${findings.wrong.length}, ghosts ${findings.ghosts.length}`,
  );
}

describe('core and the city killed at random moments', () => {
  it(
    `lose nothing that was acknowledged and double nothing, over ${kills} kills each`,
    async () => {
      await using folder = await tempFolder();
      const promises = await runKills({
        data: folder.path,
        coreKills: kills,
        cityKills: kills,
        seed,
        stride: [30, 500],
        acknowledgeBeforeCommit: false,
      });
      const { findings, figures } = check(promises, folder.path);
      say('killed', promises, figures, findings);
      expect(findings).toEqual(clean);
      expect(promises.kills).toEqual({ core: kills, city: kills });
      expect(promises.resent, 'messages in flight when core died').toBeGreaterThan(0);
      for (const amount of Object.values(figures)) expect(amount).toBeGreaterThan(0);
    },
    timeLimit,
  );

  it(
    'are caught by the same checker when core acknowledges before it commits',
    async () => {
      await using folder = await tempFolder();
      // Far enough apart for core to have begun to gather readings: then something always waits to be written.
      const promises = await runKills({
        data: folder.path,
        coreKills: 3,
        cityKills: 0,
        seed,
        stride: [700, 1_000],
        acknowledgeBeforeCommit: true,
      });
      const { findings, figures } = check(promises, folder.path);
      say('control', promises, figures, findings);
      expect(findings.lost.length).toBeGreaterThan(0);
    },
    timeLimit,
  );
});
