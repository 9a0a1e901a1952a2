import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventTopic, healthTopic, samplesTopic } from '#edge/bus/topics.ts';
import type { ProcessStatus } from '#edge/domain/health.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import { paths } from '#edge/processes/context.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { connectRpc } from '#edge/runtime/rpc.ts';
import { firePanel, startSafetyCore, temporaryData, until } from './safety-core.ts';

/* Promises about life safety, asked of core itself: its broker, its store and its rules are the real ones. */

const clip = 'speaker-gate/clip';
const day = 86_400_000;

describe('the siren', () => {
  test('starts, stays and is told of while the disk takes nothing, and its process is not thrown out', async () => {
    using data = temporaryData();
    await using core = await startSafetyCore({ data: data.path, tuning: { maxPages: 90 } });
    const broadcast = await core.drive('broadcast');
    const air = await core.join('air-201', { reconnectPeriod: 0 });
    let closed = false;
    air.on('close', () => {
      closed = true;
    });
    const filler = 'x'.repeat(250);
    const data16 = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`k${i}`, filler]));
    for (let i = 0; i < 400 && !closed; i++) {
      const sent = air.publishAsync(
        eventTopic('air-201' as DeviceId),
        JSON.stringify({ type: 'noise', data: data16 }),
        {
          qos: 1,
        },
      );
      await Promise.race([sent.catch(() => {}), new Promise((resolve) => setTimeout(resolve, 500))]);
    }
    expect(closed).toBe(true);
    await until(() => expect(core.alarms.get('store:record')?.state).toBe('unacknowledged'));

    const panel = await core.join('fire-panel');
    let acknowledged = false;
    void firePanel(panel, true).then(
      () => {
        acknowledged = true;
      },
      () => {},
    );
    await until(() => expect(broadcast.told('speaker-gate')).toContain('evacuation'));
    await until(() => expect(core.alarms.get('interlock:fire')?.active).toBe(true));
    expect(core.outputs.get(clip)).toMatchObject({ value: 'evacuation', holder: 'interlock:fire' });
    for (let i = 0; i < 20; i++) broadcast.say('speaker-gate', ['clip', `evacuation`], ['playing', i % 2 === 0]);
    // The panel says it again and again: nothing new, and still not on disk.
    await until(() => expect(core.readings.get('speaker-gate/playing')?.value).toBe(false));
    expect(acknowledged).toBe(false);
    expect(broadcast.lost.count).toBe(0);
  }, 40_000);

  test.each([
    ['a year ahead', 365 * day],
    ['a year back', -365 * day],
    ['an hour back', -3_600_000],
  ])(
    'starts when the clock has just been set %s, and goes on when it is set right',
    async (_, by) => {
      using data = temporaryData();
      let wrong = 0;
      const clock = { now: () => systemClock.now() + wrong, monotonic: () => systemClock.monotonic() };
      await using core = await startSafetyCore({ data: data.path, clock });
      const broadcast = await core.drive('broadcast');
      const panel = await core.join('fire-panel');
      await firePanel(panel, false);
      await until(() => expect(core.readings.get('fire-panel/alarm')?.value).toBe(false));
      wrong = by;
      await firePanel(panel, true);
      await until(() => expect(broadcast.told('speaker-gate')).toContain('evacuation'));
      wrong = 0;
      // Everything that looks at the time has looked: expiry five times a second, staleness once.
      const looked = systemClock.monotonic();
      await until(() => expect(systemClock.monotonic() - looked).toBeGreaterThan(2_500));
      expect(core.outputs.get(clip)).toMatchObject({ value: 'evacuation', holder: 'interlock:fire', until: null });
      expect(broadcast.told('speaker-gate').at(-1)).toBe('evacuation');
      expect(core.alarms.get('interlock:fire')?.active).toBe(true);
    },
    40_000,
  );

  test('starts when the database cannot even be opened, and falls silent nowhere that is not known', async () => {
    using data = temporaryData();
    mkdirSync(join(data.path, 'campus.db'));
    await using core = await startSafetyCore({ data: data.path });
    const broadcast = await core.drive('broadcast');
    await until(() => expect(core.alarms.get('store:io')?.active).toBe(true));
    const panel = await core.join('fire-panel');
    void firePanel(panel, true).catch(() => {});
    await until(() => expect(broadcast.told('speaker-gate')).toContain('evacuation'));
    expect(broadcast.told('speaker-gate')).not.toContain('');
  }, 40_000);
});

describe('after a restart', () => {
  test('an evacuation goes on, also without the file of its rule, and ends when two people turn it off', async () => {
    using data = temporaryData();
    {
      await using core = await startSafetyCore({ data: data.path });
      const broadcast = await core.drive('broadcast');
      await firePanel(await core.join('fire-panel'), true);
      await until(() => expect(broadcast.told('speaker-gate')).toContain('evacuation'));
    }
    {
      await using core = await startSafetyCore({ data: data.path });
      const broadcast = await core.drive('broadcast');
      await until(() => expect(broadcast.told('speaker-gate')).toContain('evacuation'));
      await firePanel(await core.join('fire-panel'), false);
      await until(() => expect(core.readings.get('fire-panel/alarm')).toMatchObject({ value: false, quality: 'good' }));
      expect(core.outputs.get(clip)?.holder).toBe('interlock:fire');
      expect(broadcast.told('speaker-gate')).not.toContain('');
    }
    rmSync(join(data.path, 'rules', 'fire.yaml'));
    await using core = await startSafetyCore({ data: data.path });
    const broadcast = await core.drive('broadcast');
    await until(() => expect(broadcast.told('speaker-gate')).toContain('evacuation'));
    await until(() => expect(core.alarms.get('site:rules')).toMatchObject({ active: true }));
    await using rpc = connectRpc(paths.socket(data.path));
    const act = (who: string) => ({ id: 'fire', version: null, why: 'the panel is gone', who, from: '127.0.0.1' });
    expect(await rpc.call('rule.activate', act('person:lin'))).toMatchObject({ outcome: 'proposed' });
    expect(core.outputs.get(clip)?.holder).toBe('interlock:fire');
    await rpc.call('rule.approve', { ...act('person:wang'), digest: null });
    await until(() => expect(broadcast.told('speaker-gate')).toContain(''));
    await until(() => expect(core.outputs.get(clip)).toMatchObject({ value: '', holder: null }));
    await until(() => expect(core.alarms.get('interlock:fire')).toMatchObject({ active: false }));
  }, 60_000);
});

describe('a process', () => {
  test('that leaves the broker makes its points bad at once, without a supervisor; back, it is told again', async () => {
    using data = temporaryData();
    await using core = await startSafetyCore({ data: data.path });
    const first = await core.drive('broadcast', { reconnectPeriod: 0 });
    await firePanel(await core.join('fire-panel'), true);
    await until(() => expect(first.told('speaker-gate')).toContain('evacuation'));
    first.say('speaker-gate', ['clip', 'evacuation']);
    await until(() => expect(core.readings.get(clip)).toMatchObject({ value: 'evacuation', quality: 'good' }));
    first.mqtt.stream.destroy();
    await until(() => expect(core.readings.get(clip)).toMatchObject({ quality: 'bad', reason: 'no-communication' }));
    const again = await core.drive('broadcast');
    await until(() => expect(again.told('speaker-gate')).toContain('evacuation'));
  }, 40_000);

  test('cannot speak for another: flows that say the loudspeakers are gone are not believed', async () => {
    using data = temporaryData();
    await using core = await startSafetyCore({ data: data.path });
    const broadcast = await core.drive('broadcast');
    broadcast.say('speaker-gate', ['clip', '']);
    await until(() => expect(core.readings.get(clip)?.quality).toBe('good'));
    const flows = await core.join('flows');
    const forged = { process: 'broadcast', state: 'stopped', time: systemClock.now(), instance: 'one', devices: [] };
    await flows.publishAsync(healthTopic('flows'), JSON.stringify(forged), { qos: 1 });
    broadcast.say('speaker-gate', ['playing', true]);
    await until(() => expect(core.readings.get('speaker-gate/playing')?.value).toBe(true));
    expect(core.readings.get(clip)?.quality).toBe('good');
  }, 40_000);

  test('that is dead is one alarm, whatever stands behind it', async () => {
    using data = temporaryData();
    await using core = await startSafetyCore({ data: data.path });
    const fieldbus = await core.drive('fieldbus');
    fieldbus.say('meter-main', ['voltage_l1', 230], ['power', 1_000]);
    await until(() => expect(core.readings.get('meter-main/power')?.quality).toBe('good'));
    const dead: ProcessStatus = {
      name: 'fieldbus',
      state: 'crash-loop',
      pid: null,
      restarts: 9,
      since: systemClock.now(),
      lastExit: 'exit 1',
      rss: null,
      loopDelay: null,
    };
    core.tellProcesses([dead]);
    await until(() => expect(core.readings.get('meter-main/power')?.quality).toBe('bad'));
    await until(() => expect(core.alarms.get('process:fieldbus')).toMatchObject({ class: 'critical', active: true }));
    const shown = [...core.alarms.values()].filter(({ active, suppressedBy }) => active && suppressedBy === undefined);
    expect(shown.map(({ source }) => source).filter((source) => /fieldbus|meter|relay/.test(source))).toEqual([
      'process:fieldbus',
    ]);
  }, 40_000);
});

describe('a device', () => {
  test('whose profile is broken is named by an alarm, and the rest goes on', async () => {
    using data = temporaryData();
    await using core = await startSafetyCore({
      data: data.path,
      change: (site) => ({
        ...site,
        devices: site.devices.map((one) => (one.id === 'meter-main' ? { ...one, profile: 'meter/none' } : one)),
      }),
    });
    const air = await core.join('air-201');
    await air.publishAsync(samplesTopic('air-201' as DeviceId), JSON.stringify({ co2: 640 }), { qos: 1 });
    await until(() => expect(core.readings.get('air-201/co2')).toMatchObject({ value: 640, quality: 'good' }));
    await expect
      .poll(() => core.alarms.get('device:meter-main')?.message.en, { timeout: 40_000, interval: 500 })
      .toContain('cannot be used as it is configured');
  }, 60_000);
});
