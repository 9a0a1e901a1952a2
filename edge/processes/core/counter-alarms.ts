import type { CounterStep } from '#edge/domain/counter.ts';
import type { Device, Point } from '#edge/domain/device.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import { pointRef } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import { isSettled } from '#edge/ingest/counter-steps.ts';
import type { StuckState } from '#edge/ingest/counter-stuck.ts';
import type { RaiseDecision } from '#edge/rules/decision.ts';

/* The words of the alarms about counters. */

export const counterSource = (ref: PointRef): string => `counter:${ref}`;
export const stuckSource = (ref: PointRef): string => `stuck:${ref}`;

const is: Readonly<Record<CounterStep['kind'], Name>> = {
  swap: { zh: '读数变小且不再恢复，疑似换表', en: 'went back and stays there: the meter was probably swapped' },
  spike: { zh: '读数跳变，超过可能的用量', en: 'rose by more than can have been used' },
  reset: { zh: '读数变为 0', en: 'shows 0' },
};

/** A counter stands still until somebody has looked. */
export function counterHeld(step: CounterStep, device: Device, point: Point): RaiseDecision {
  const { ref, kind, from, serial } = step;
  const said =
    serial === undefined
      ? is[kind]
      : { zh: '表号已变，疑似换表', en: 'has another serial number: the meter was swapped' };
  const next = isSettled(step)
    ? {
        zh: '现场核对电表：换表请接受并填写旧表最后用量；误读请拒绝',
        en: 'Look at the meter: if it was swapped, accept it and say what the old one counted last; if it is wrong, reject it',
      }
    : {
        zh: '每次读数都不同：检查通信线路、地址冲突和电表本身',
        en: 'Each read shows something else: check the line, two devices with one address, and the meter itself',
      };
  return {
    kind: 'raise',
    source: counterSource(ref),
    class: 'medium',
    message: {
      zh: `${device.name.zh}${point.label.zh}${said.zh}`,
      en: `${device.name.en}: ${point.label.en} ${said.en}`,
    },
    next,
    // Without what it shows now: the alarm must not be a new one with each course of a mad meter.
    reason: `${ref} stands at ${from} ${point.unit} (${kind})`,
    device: device.id,
    ref,
    zone: device.zone,
  };
}

/** Something flows, and is not counted. */
export function counterStuck(device: Device, point: Point, { value, flown, flowing }: StuckState): RaiseDecision {
  const ref = pointRef(device.id, point.name);
  const hours = Math.floor(flowing / 3_600_000);
  return {
    kind: 'raise',
    source: stuckSource(ref),
    class: 'low',
    message: {
      zh: `${device.name.zh}${point.label.zh}不走字`,
      en: `${device.name.en}: ${point.label.en} does not move`,
    },
    next: {
      zh: '检查接线、互感器和寄存器地址：功率显示有用量，但没有计数',
      en: 'Check wiring, transformers and the register: the meter says that something flows, and does not count it',
    },
    // Whole steps, so that the alarm is not a new one with each look.
    reason: `it stands at ${value} ${point.unit} for ${hours} h in which some ${Number(flown.toPrecision(1))} went by`,
    device: device.id,
    ref,
    zone: device.zone,
  };
}
