import { expect, test } from 'vitest';
import type { DeviceId, PointRef, ZoneId } from '#edge/domain/ids.ts';
import type { Reading, Value } from '#edge/domain/reading.ts';
import type { MediaHealth, RecordingHealth } from '#edge/domain/recording.ts';
import { RecordingWatch } from '#edge/processes/core/recording-watch.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import { ManualClock } from '#edge/runtime/clock.ts';

const gate = 'camera-gate' as DeviceId;
const yard = 'camera-yard' as DeviceId;

const recording = (camera: DeviceId, more: Partial<RecordingHealth> = {}): RecordingHealth => ({
  camera,
  mode: 'continuous',
  state: 'recording',
  message: '',
  since: 0,
  oldest: 0,
  bytes: 1,
  bytesPerDay: 1,
  daysRequired: 30,
  daysThere: 3,
  daysExpected: 40,
  complete24h: 1,
  complete: 1,
  viewers: 0,
  frameRate: 25,
  codec: 'avc1.64001f',
  ...more,
});

function bench(alarmed: readonly string[] = []) {
  const clock = new ManualClock(1_800_000_000_000);
  const readings = new Map<PointRef, Reading>();
  const said: AlarmDecision[] = [];
  const watch = new RecordingWatch({
    cameras: [gate, yard].map((id) => ({ id, name: { zh: id, en: id }, zone: 'gate' as ZoneId })),
    protectedQuota: 50e9,
    alarmed,
    latest: () => readings,
    decide: (decisions) => void said.push(...decisions),
    clock,
  });
  let media: Partial<MediaHealth> = {};
  const hear = (cameras: readonly RecordingHealth[], more: Partial<MediaHealth> = {}) => {
    media = { ...more, cameras };
  };
  hear([recording(gate), recording(yard)]);
  return {
    hear,
    watch,
    listening: (camera: DeviceId, value: Value, quality: Reading['quality'] = 'good') =>
      void readings.set(`${camera}/listening` as PointRef, { value, quality } as Reading),
    /** Looks once a second; media speaks every ten. What was said meanwhile. */
    pass: (seconds: number, isSpeaking = true) => {
      for (let i = 0; i < seconds; i++) {
        if (isSpeaking && i % 10 === 0)
          watch.hear({
            ...{
              ffmpeg: { path: 'ffmpeg', version: '5.1', isOld: false },
              bytes: 1,
              protectedBytes: 0,
              freeBytes: 1e9,
            },
            ...{ problem: '', transcodes: 0, cameras: [], ...media },
          });
        clock.advance(1_000);
        watch.tick();
      }
      return said.splice(0).map((one) => `${one.kind} ${one.source}${one.kind === 'raise' ? ` ${one.class}` : ''}`);
    },
  };
}

test('a camera that should be recorded and is not is told after a minute, once, and returns when it has been well for a while', () => {
  const { hear, pass } = bench();
  hear([recording(gate, { state: 'waiting', message: 'no picture' }), recording(yard, { mode: 'off', state: 'off' })]);
  expect(pass(55)).toEqual([]);
  expect(pass(10)).toEqual(['raise recording:camera-gate medium']);
  expect(pass(300)).toEqual([]);
  hear([recording(gate), recording(yard)]);
  expect(pass(5)).toEqual([]);
  hear([recording(gate, { state: 'waiting' }), recording(yard)]);
  expect(pass(30)).toEqual([]);
  hear([recording(gate), recording(yard)]);
  expect(pass(30)).toEqual(['return recording:camera-gate']);
});

test('a disk that refuses, or no ffmpeg, is one alarm, and none for each camera', () => {
  const { hear, pass } = bench();
  const stopped = [gate, yard].map((camera) => recording(camera, { state: 'stopped', message: 'the disk is full' }));
  hear(stopped, { problem: 'the disk is full' });
  expect(pass(300)).toEqual(['raise recording:site high']);
  hear([recording(gate), recording(yard)]);
  expect(pass(30)).toEqual(['return recording:site']);
  hear([recording(gate, { state: 'waiting' }), recording(yard, { state: 'waiting' })], { ffmpeg: null });
  expect(pass(120)).toEqual(['raise recording:site high']);
});

test('more kept footage than its quota is told before any of it is lost, once, and returns when it is well below', () => {
  const { hear, pass } = bench();
  const kept = (protectedBytes: number) => hear([recording(gate), recording(yard)], { protectedBytes });
  kept(50e9);
  expect(pass(120)).toEqual([]);
  kept(51e9);
  expect(pass(50)).toEqual([]);
  expect(pass(120)).toEqual(['raise recording:protected high']);
  kept(49.5e9);
  expect(pass(60)).toEqual([]);
  kept(48e9);
  expect(pass(30)).toEqual(['return recording:protected']);
});

test('days that will not be reached are told, and not again for a figure that swings about the limit', () => {
  const { hear, pass } = bench();
  hear([recording(gate, { daysExpected: 22.4 }), recording(yard, { daysExpected: null })]);
  expect(pass(500)).toEqual([]);
  expect(pass(200)).toEqual(['raise retention:camera-gate medium']);
  for (const daysExpected of [30.2, 29.8, 30.9]) {
    hear([recording(gate, { daysExpected }), recording(yard)]);
    expect(pass(700)).toEqual([]);
  }
  hear([recording(gate, { daysExpected: 31.5 }), recording(yard)]);
  expect(pass(30)).toEqual(['return retention:camera-gate']);
});

test('a camera whose events stopped while its pictures live is told after five minutes; one that is dark, or never said so, is not', () => {
  const { hear, pass, listening } = bench();
  listening(gate, false);
  expect(pass(290)).toEqual([]);
  expect(pass(20)).toEqual(['raise deaf:camera-gate medium']);
  listening(gate, true);
  expect(pass(20)).toEqual(['return deaf:camera-gate']);
  listening(gate, false, 'bad');
  listening(yard, false);
  hear([recording(gate), recording(yard, { state: 'waiting', frameRate: null, mode: 'off' })]);
  expect(pass(600)).toEqual([]);
});

test('media that says nothing judges nobody: what stands stands, what had begun begins anew', () => {
  const { hear, pass, watch } = bench(['recording:camera-gate', 'retention:camera-none', 'device:camera-gate']);
  expect(pass(30, false)).toEqual([]);
  watch.leave();
  expect(pass(120, false)).toEqual([]);
  // Alarmed before the start, and well.
  expect(pass(30)).toEqual(['return recording:camera-gate']);
  hear([recording(gate, { state: 'waiting' }), recording(yard)]);
  expect(pass(50)).toEqual([]);
  watch.leave();
  expect(pass(30, false)).toEqual([]);
  expect(pass(50)).toEqual([]);
  expect(pass(20)).toEqual(['raise recording:camera-gate medium']);
  expect(
    ['recording:site', 'recording:protected', 'deaf:camera-yard', 'deaf:camera-none', 'recording:'].map((source) =>
      watch.isSource(source),
    ),
  ).toEqual([...[true, true, true, false, false]]);
});
