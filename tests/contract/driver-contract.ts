import { setTimeout as afterMs } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Device } from '#edge/domain/device.ts';
import type { HappeningId, PointName } from '#edge/domain/ids.ts';
import type { Command } from '#edge/domain/output.ts';
import type { Sample, Value } from '#edge/domain/reading.ts';
import type { Driver, Session, Sink } from '#edge/drivers/driver.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';

/** One protocol's driver with a device that answers, on real sockets. Made anew for every test. */
export interface DriverRig extends AsyncDisposable {
  readonly driver: Driver<unknown>;
  /** Reachable; its points can all be read. */
  readonly device: Device;
  /** An address of the same kind where nobody is. Absent where one cannot tell (one-way sound). */
  readonly nowhere?: unknown;
  /** An address with one mistake, and the key the error must name. */
  readonly wrong: { readonly address: unknown; readonly key: string };
  /** Takes the device away and brings it back. Absent where nobody can notice. */
  readonly outage?: { begin(): Promise<void>; end(): Promise<void> };
  /** A command that the device can carry out, and what its point is then. Absent for devices that take none. */
  readonly command?: { readonly point: PointName; readonly value: Value; readonly outcome: 'done' | 'sent' };
}

interface Heard extends Sink {
  readonly samples: Sample[];
  readonly states: string[];
}

function listen(): Heard {
  const samples: Sample[] = [];
  const states: string[] = [];
  return {
    samples,
    states,
    sample: (sample) => samples.push(sample),
    event: () => {},
    health: (state) => states.push(state),
    count: () => {},
  };
}

const valueTypes = { number: 'number', boolean: 'boolean', text: 'string' } as const;
const patience = { timeout: 15_000, interval: 50 };

/** What every driver promises (edge/drivers/driver.ts), checked through its public interface. */
export function describeDriver(name: string, makeRig: () => Promise<DriverRig>): void {
  const never = new AbortController().signal;

  const open = (rig: DriverRig, sink: Sink, address: unknown = rig.device.address, signal = never): Promise<Session> =>
    rig.driver.open({ ...rig.device, address }, rig.driver.config.parse(address), sink, signal);

  const commandFor = (rig: DriverRig, point: PointName, value: Value): Command => ({
    id: newHappeningId(systemClock),
    device: rig.device.id,
    point,
    value,
    priority: 8,
    issued: systemClock.now(),
    expires: systemClock.now() + 10_000,
    until: systemClock.now() + 60_000,
  });

  /** One sample for each polled point asked for, nothing else. */
  const polled = (rig: DriverRig) => rig.device.points.filter((point) => point.poll !== 'watch');

  describe(`the ${name} driver`, () => {
    it('names the key that is wrong in an address', async () => {
      await using rig = await makeRig();
      expect(() => rig.driver.config.parse(rig.wrong.address)).toThrow(rig.wrong.key);
      expect(() => rig.driver.config.parse(undefined)).toThrow();
    });

    it('reads every point it is asked for, with a value of its type', async () => {
      await using rig = await makeRig();
      await using session = await open(rig, listen());
      const points = polled(rig);
      await expect
        .poll(async () => (await session.read(points, never)).map(({ quality }) => quality), patience)
        .toEqual(points.map(() => 'good'));
      const samples = await session.read(points, never);
      expect(samples.map((sample) => sample.point).sort()).toEqual(points.map((point) => point.name).sort());
      for (const sample of samples) {
        const type = points.find((point) => point.name === sample.point)?.type ?? 'number';
        expect(typeof sample.value, sample.point).toBe(valueTypes[type]);
      }
    });

    it('reads only what it is asked for', async () => {
      await using rig = await makeRig();
      await using session = await open(rig, listen());
      const [first] = polled(rig);
      if (first === undefined) return expect(await session.read([], never)).toEqual([]);
      expect((await session.read([first], never)).map((sample) => sample.point)).toEqual([first.name]);
    });

    it('settles a read that is given up', async () => {
      await using rig = await makeRig();
      await using session = await open(rig, listen());
      const started = performance.now();
      await session.read(polled(rig), AbortSignal.abort()).catch(() => []);
      expect(performance.now() - started).toBeLessThan(5_000);
    });

    it('ends when it is told to, twice if need be', async () => {
      await using rig = await makeRig();
      const session = await open(rig, listen());
      await session.read(polled(rig), never);
      await session[Symbol.asyncDispose]();
      await session[Symbol.asyncDispose]();
      await rig.driver[Symbol.asyncDispose]();
      const after = await Promise.race([
        session.read(polled(rig), never).then(
          (samples) => samples.every((sample) => sample.quality !== 'good' || sample.value !== null),
          () => true,
        ),
        afterMs(8_000, false),
      ]);
      expect(after).toBe(true);
    });

    it('opens a device that is not there without waiting, and says so by bad samples', async (context) => {
      await using rig = await makeRig();
      if (rig.nowhere === undefined) return context.skip();
      const started = performance.now();
      await using session = await open(rig, listen(), rig.nowhere);
      expect(performance.now() - started).toBeLessThan(5_000);
      const samples = await session.read(polled(rig), never);
      for (const sample of samples) {
        expect(sample).toMatchObject({ value: null, quality: 'bad' });
        expect(['no-communication', 'never-read', 'held']).toContain(sample.reason);
      }
    });

    it('turns bad when the device goes away and good when it is back, and says both', async (context) => {
      await using rig = await makeRig();
      const { outage } = rig;
      if (outage === undefined) return context.skip();
      const heard = listen();
      await using session = await open(rig, heard);
      const qualities = async () => [
        ...new Set((await session.read(polled(rig), never)).map(({ quality }) => quality)),
      ];
      await expect.poll(qualities, patience).toEqual(polled(rig).length > 0 ? ['good'] : []);
      await expect.poll(() => heard.states.at(-1), patience).toBe('online');
      await outage.begin();
      await expect.poll(qualities, patience).toEqual(polled(rig).length > 0 ? ['bad'] : []);
      await expect
        .poll(async () => (await session.read(polled(rig), never)) && heard.states.at(-1), patience)
        .toBe('offline');
      await outage.end();
      await expect.poll(qualities, patience).toEqual(polled(rig).length > 0 ? ['good'] : []);
      await expect.poll(() => heard.states.at(-1), patience).toBe('online');
    });

    it('carries out a command and answers with its id', async (context) => {
      await using rig = await makeRig();
      if (rig.command === undefined) return context.skip();
      await using session = await open(rig, listen());
      const { point, value, outcome } = rig.command;
      const command = commandFor(rig, point, value);
      const result = await session.write?.(command, never);
      expect(result).toMatchObject({ id: command.id, device: rig.device.id, point, outcome });
    });

    it('refuses a command for a point it does not have, in words', async (context) => {
      await using rig = await makeRig();
      if (rig.command === undefined) return context.skip();
      await using session = await open(rig, listen());
      const command = commandFor(rig, 'no-such-point' as PointName, rig.command.value);
      const result = await session.write?.({ ...command, id: command.id as HappeningId }, never);
      expect(result).toMatchObject({ id: command.id, outcome: 'refused' });
      expect(result?.message).toBeTruthy();
    });

    it('does nothing for a command that is too late', async (context) => {
      await using rig = await makeRig();
      if (rig.command === undefined) return context.skip();
      await using session = await open(rig, listen());
      const { point, value } = rig.command;
      const late = { ...commandFor(rig, point, value), expires: systemClock.now() - 1 };
      expect(await session.write?.(late, never)).toMatchObject({ id: late.id, outcome: 'expired' });
    });
  });
}
