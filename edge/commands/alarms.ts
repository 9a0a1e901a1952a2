import type { Command, CommandResult } from '#edge/domain/output.ts';
import { priorities } from '#edge/domain/output.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { RaiseDecision, ReturnDecision } from '#edge/rules/decision.ts';
import type { Output, Want } from './output.ts';
import type { Unrecorded } from './recorder.ts';

/** An output does not do what is wanted. */
export function failedAlarm(output: Output, command: Command, result: CommandResult): RaiseDecision {
  const { device } = output.place;
  const wanted = JSON.stringify(command.value);
  const seen =
    result.value === undefined ? result.outcome : `${result.outcome}, read back ${JSON.stringify(result.value)}`;
  const told = result.message === undefined ? seen : `${seen}: ${result.message}`;
  return {
    ...aboutOutput(output),
    class: command.priority <= priorities.critical ? 'critical' : 'medium',
    message: {
      zh: `${device.name.zh}（${output.ref}）未按指令动作：应为 ${wanted}`,
      en: `${device.name.en} (${output.ref}) did not do as told: ${wanted} is wanted`,
    },
    next: {
      zh: '检查设备的供电、接线与通信，必要时到现场手动操作。',
      en: 'Check its power, wiring and communication; operate it by hand if need be.',
    },
    reason: told,
  };
}

/** It does what it is told, and does not keep it. */
export function driftAlarm(output: Output, want: Want, seen: Value, times: number): RaiseDecision {
  const { device } = output.place;
  const wanted = JSON.stringify(want.value);
  return {
    ...aboutOutput(output),
    class: want.priority <= priorities.critical ? 'critical' : 'medium',
    message: {
      zh: `${device.name.zh}（${output.ref}）不保持指令值：应为 ${wanted}`,
      en: `${device.name.en} (${output.ref}) does not keep what it is told: ${wanted} is wanted`,
    },
    next: {
      zh: '查看是否有人或另一套系统在操作该设备，检查其供电与触点。',
      en: 'See whether somebody or another system operates it; check its supply and its contact.',
    },
    reason: `read to be ${JSON.stringify(seen)}, put back ${times} times in a row`,
  };
}

/** An interlock wants to hold what is not an output here. */
export function unknownOutputAlarm(ref: RaiseDecision['ref'] & string, owner: string): RaiseDecision {
  return {
    kind: 'raise',
    source: `output:${ref}`,
    class: 'critical',
    message: { zh: `输出 ${ref} 不存在，无法执行`, en: `There is no output ${ref} to act on` },
    next: { zh: '修正站点文件或设备档案。', en: 'Correct the site file or the profile of the device.' },
    reason: `${owner} wants to hold it`,
    ref,
  };
}

/** Nobody wants to hold what is not an output any more. */
export function notWantedAlarm(ref: string): ReturnDecision {
  return { kind: 'return', source: `output:${ref}`, reason: 'nobody wants to hold it any more' };
}

export function workingAgain(output: Output): ReturnDecision {
  return { kind: 'return', source: `output:${output.ref}`, reason: 'the output does what is wanted, or nothing is' };
}

const recordSource = 'store:acts';

/** What was done is not on disk. */
export function unrecordedAlarm(failure: Unrecorded): RaiseDecision {
  return {
    kind: 'raise',
    source: recordSource,
    class: 'high',
    message: { zh: '操作记录未能写入磁盘', en: 'What was done could not be recorded on disk' },
    next: {
      zh: '检查磁盘空间与磁盘健康；动作本身已执行。',
      en: 'Check disk space and disk health; the acts themselves were carried out.',
    },
    reason: failure.error,
  };
}

export function recordedAgain(): ReturnDecision {
  return { kind: 'return', source: recordSource, reason: 'everything owed is on disk' };
}

function aboutOutput(output: Output): Pick<RaiseDecision, 'kind' | 'source' | 'device' | 'zone' | 'ref'> {
  const { device } = output.place;
  return { kind: 'raise', source: `output:${output.ref}`, device: device.id, zone: device.zone, ref: output.ref };
}
