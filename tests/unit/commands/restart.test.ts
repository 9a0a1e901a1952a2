import { describe, expect, it } from 'vitest';
import { isHoldChange } from '#edge/rules/decision.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { openReader } from '#edge/store/reader.ts';
import { open, temporaryFolder } from '../../fixtures/store/site.ts';
import { Rules } from '../rules/rules-at-work.ts';
import { demoRules } from '../rules/small-campus.ts';
import { Desk, holdOf, started } from './desk.ts';

/** What this desk has of the demo's outputs. */
const here = new Set(['speaker-gate/clip', 'relay-1/relay_1', 'relay-1/relay_2']);

/** The demo's rules in a new process, with what the store kept of them. */
function remembering(state: Readonly<Record<string, unknown>>): Rules {
  const rules = new Rules(demoRules);
  for (const [name, kept] of Object.entries(state)) if (kept !== null) rules.stored.set(name, kept);
  rules.engine = rules.start();
  rules.turn();
  return rules;
}

describe('on a real disk', () => {
  it('an evacuation goes on after the process is gone, its requests and acts can be read, and a reset ends it for good', async () => {
    await using folder = await temporaryFolder();
    {
      await using store = await open(folder.path);
      const desk = new Desk({ append: (batch) => store.append(batch) });
      expect((await desk.ask('relay-1/relay_2', true, { seconds: 3_600 })).outcome).toBe('holding');
      desk.answer('done', { value: true });
      const rules = new Rules(demoRules).calm();
      rules.hear('fire-panel/alarm', true);
      desk.interlock(...rules.decisions.filter(isHoldChange).filter((change) => here.has(change.ref)));
      desk.answer('sent');
      await store.append({ state: Object.fromEntries(rules.stored) });
    }
    {
      await using store = await open(folder.path);
      const restored = await store.restore();
      const clock = new ManualClock(started + 60_000);
      const desk = new Desk({ append: (batch) => store.append(batch), restored: restored.holds, unready: true, clock });
      const rules = remembering(restored.state);
      desk.interlock(
        ...rules.decisions
          .splice(0)
          .filter(isHoldChange)
          .filter((change) => here.has(change.ref)),
      );
      desk.commands.adoptInterlockHolds(rules.engine.standing());
      desk.take();
      desk.commands.onProcessReady('broadcast');
      desk.commands.onProcessReady('fieldbus');
      expect(desk.take()).toEqual(['speaker-gate/clip="evacuation"', 'relay-1/relay_2=true']);

      rules.hear('fire-panel/alarm', false);
      expect(rules.reset('fire').reset).toBe(true);
      desk.interlock(
        ...rules.decisions
          .splice(0)
          .filter(isHoldChange)
          .filter((change) => here.has(change.ref)),
      );
      desk.answer('sent');
      expect(desk.take()).toEqual(['speaker-gate/clip=""']);
      const forgotten = Object.fromEntries(Object.keys(restored.state).map((name) => [name, null]));
      await store.append({ state: { ...forgotten, ...Object.fromEntries(rules.stored) } });
    }
    await using store = await open(folder.path);
    const { holds, state } = await store.restore();
    expect(holds.map((hold) => `${hold.owner} ${hold.ref}`)).toEqual(['request:flows relay-1/relay_2']);
    const again = remembering(state);
    expect(again.take()).toEqual([]);

    using reader = openReader(folder.path, new ManualClock(started));
    expect(reader.requests(10)).toMatchObject([
      { request: { ref: 'relay-1/relay_2' }, result: { outcome: 'holding' } },
    ]);
    expect(reader.commands(10).map(({ result }) => result.outcome)).toContain('sent');
    const lines = reader.audit(0, 100).map((line) => `${line.who} | ${line.what}`);
    expect(lines).toContain('interlock:fire | hold speaker-gate/clip="evacuation" at 1');
    expect(lines).toContain('interlock:fire | relinquish speaker-gate/clip');
    expect(lines).toContain('client:flows | request relay-1/relay_2=true at 12 for 3600 s');
  });
});

describe('at the start', () => {
  it('what nobody holds is told its fail-safe value: the last run may have ended before it said so', () => {
    const desk = new Desk({ unready: true });
    expect(desk.take()).toEqual([]);
    desk.commands.onProcessReady('broadcast');
    expect(desk.take()).toEqual(['speaker-gate/clip=""']);
    desk.commands.onProcessReady('fieldbus');
    expect(desk.take()).toEqual(['relay-1/relay_2=false']);
  });

  it('a core that could not read what was held falls silent nowhere', async () => {
    const desk = new Desk({ unready: true, memoryLost: true });
    desk.commands.onProcessReady('broadcast');
    desk.commands.onProcessReady('fieldbus');
    await desk.pass(5_000);
    expect(desk.take()).toEqual([]);
  });

  it('holds of an interlock that is gone end, on disk too, and the speaker is told to be silent', async () => {
    const hold = { ...holdOf('speaker-gate/clip', 'evacuation'), since: started, until: null };
    const { kind: _, ...restored } = hold;
    const desk = new Desk({ restored: [restored], unready: true, unjudged: true });
    desk.commands.adoptInterlockHolds([]);
    expect(desk.take()).toEqual(['speaker-gate/clip=""']);
    await desk.settle();
    expect(desk.onDisk('speaker-gate/clip')).toEqual([]);
    expect(desk.state('speaker-gate/clip')).toMatchObject({ value: '', holder: null });
  });
});
