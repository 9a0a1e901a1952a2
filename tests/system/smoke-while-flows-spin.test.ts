import { expect, it } from 'vitest';
import { firstPackets } from '../bench/latency.ts';
import { until } from '../bench/rig.ts';
import { type SmokeCampus, startSmokeCampus } from '../bench/smoke-campus.ts';

/*
 * Nothing a person wrote in a flow can stop a safety rule: the whole way with real processes. The loop is asynchronous,
 * so that Node-RED's own timeout for functions does not see it, and only the supervisor can end it.
 */
const times = { beat: 500, start: 120_000, backoffFirst: 200 };

function flowsOf(campus: SmokeCampus) {
  const flows = campus.processes().find(({ name }) => name === 'flows');
  if (flows === undefined) throw new Error('there is no flows process');
  return flows;
}

const packets = (campus: SmokeCampus) => campus.speakers.map((speaker) => speaker.heard().packets);

it('sounds the siren while a flow spins, ends the spinning process, and the siren goes on', {
  timeout: 240_000,
}, async () => {
  await using campus = await startSmokeCampus({ relays: 1, smokeNeeded: 2, latch: true, flows: true, times });
  const others = () => campus.processes().filter(({ name }) => name !== 'flows');
  const pids = others().map(({ pid }) => pid);
  const spinning = flowsOf(campus).pid;
  await campus.mood('spin', true);
  // The function looks once at each reading: the next life of the process must not find the loop again.
  await until('the flows process spins', 7_000, async () => !(await campus.flowsAnswer(300)), 20);
  await campus.mood('spin', false);

  const began = performance.now();
  await Promise.all([campus.smoke(1, true), campus.smoke(2, true)]);
  await until('both loudspeakers sound', 30_000, () => firstPackets(campus) !== null);
  const took = (firstPackets(campus) ?? Number.NaN) - began;
  // Still the process that spins: the siren did not wait for its end.
  expect(flowsOf(campus)).toMatchObject({ pid: spinning, restarts: 0, state: 'ready' });
  expect(await campus.flowsAnswer(300)).toBe(false);

  await until('the spinning process is ended', 60_000, () => flowsOf(campus).restarts > 0);
  expect(flowsOf(campus).lastExit).toMatch(/^silent for \d+ s$/);
  await until('flows are ready again', 120_000, () => flowsOf(campus).state === 'ready', 50);
  expect(flowsOf(campus).pid).not.toBe(spinning);
  await until('Node-RED answers again', 30_000, () => campus.flowsAnswer(1_000), 100);

  const before = packets(campus);
  await until('more sound comes', 10_000, () => packets(campus).every((count, i) => count > (before[i] ?? 0) + 25));
  const frames = (performance.now() - began) / 20;
  for (const speaker of campus.speakers) {
    // One stream from the first packet on, through the end of the one process and the start of the next.
    expect(speaker.heard().streams).toBe(1);
    expect(speaker.heard().packets).toBeGreaterThan(frames / 2);
  }
  expect(others()).toMatchObject(pids.map((pid) => ({ pid, state: 'ready', restarts: 0 })));
  console.log(`smoke to the first RTP packet at both loudspeakers while the flow spins: ${took.toFixed(1)} ms`);
});
