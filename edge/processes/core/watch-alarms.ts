import { speaksToLoudspeakers } from '#edge/domain/device.ts';
import type { DeviceHealth, ProcessStatus } from '#edge/domain/health.ts';
import type { DeviceId, ZoneId } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import type { RaiseDecision } from '#edge/rules/decision.ts';

/* The words of the alarms that `Watch` gives. */

export interface DevicePlace {
  readonly id: DeviceId;
  readonly name: Name;
  readonly zone: ZoneId;
}

export const voiceSource = 'voice:broadcast';

/** What is wrong and what to do, for each state that is a fault. */
const words: Readonly<Record<string, { readonly is: Name; readonly next: Name }>> = {
  offline: { is: { zh: '离线', en: 'is offline' }, next: { zh: '检查供电和网络', en: 'Check its power and network' } },
  held: {
    is: { zh: '已暂停访问', en: 'is not asked any more' },
    next: { zh: '检查账号、密码和设备状态', en: 'Check its user name, password and condition' },
  },
  misconfigured: {
    is: { zh: '配置有误，无法使用', en: 'cannot be used as it is configured' },
    next: { zh: '修正站点文件或设备档案', en: 'Correct the site file or the profile' },
  },
  starting: {
    is: { zh: '启动后一直没有应答', en: 'has not been heard since the start' },
    next: { zh: '检查供电、网络和地址', en: 'Check its power, network and address' },
  },
};

export function deviceDown(
  health: DeviceHealth,
  place: DevicePlace | undefined,
  protocol: string | undefined,
): RaiseDecision {
  const id = health.device as DeviceId;
  const name = place?.name ?? { zh: id, en: id };
  const said = words[health.state] ?? {
    is: { zh: '异常', en: `is ${health.state}` },
    next: { zh: '检查', en: 'Check' },
  };
  return {
    kind: 'raise',
    source: `device:${id}`,
    // A zone without its speaker is a zone that cannot be evacuated.
    class: speaksToLoudspeakers(protocol) ? 'high' : protocol === 'onvif' ? 'medium' : 'low',
    message: { zh: `${name.zh}${said.is.zh}`, en: `${name.en} ${said.is.en}` },
    // What the driver says is English, and stands in the reason: notices go out as they are.
    next: { zh: said.next.zh, en: `${said.next.en}: ${health.message}` },
    reason: health.message,
    device: id,
    ...(place === undefined ? {} : { zone: place.zone }),
  };
}

/** `down`: what the supervisor says; null when the process only left the broker, or never came. */
export function processDown(name: string, down: ProcessStatus | null): RaiseDecision {
  const again = down?.state === 'crash-loop';
  const why = down === null ? 'it is not on the broker' : (down.lastExit ?? 'ended');
  return {
    kind: 'raise',
    source: `process:${name}`,
    // Without it no loudspeaker can be reached: nothing is more urgent.
    class: again || name === 'broadcast' ? 'critical' : 'high',
    message: {
      zh: `进程 ${name} ${again ? '反复崩溃' : '中断'}（${why}）`,
      en: `Process ${name} ${again ? 'crashes again and again' : 'stopped'} (${why})`,
    },
    next: {
      zh: '系统会自动重启它；若反复出现，请联系管理员并保留日志',
      en: 'It is started again by itself; if this repeats, call the administrator and keep the log',
    },
    reason: why,
  };
}

/** Behind a bridge that is gone nobody is heard: one alarm, not one for each sensor. */
export function bridgeDown(source: string, bridge: string, sensors: number): RaiseDecision {
  return {
    kind: 'raise',
    source,
    class: 'high',
    message: {
      zh: `网关 ${bridge} 中断，${sensors} 个传感器均无数据`,
      en: `Bridge ${bridge} is gone: none of its ${sensors} sensors is heard`,
    },
    next: { zh: '检查网关的供电、网络和程序', en: 'Check the power, network and program of the bridge' },
    reason: 'none of its sensors is heard',
  };
}

export const mistakesSource = 'site:interlocks';

/** A safety rule that cannot do what it says must not wait for the fire to say so. */
export function siteMistakes(problems: readonly string[]): RaiseDecision {
  const first = problems.slice(0, 4).join('; ');
  return {
    kind: 'raise',
    source: mistakesSource,
    class: 'high',
    message: {
      zh: `安全规则有 ${problems.length} 处错误`,
      en: `Safety rules have ${problems.length} mistake${problems.length === 1 ? '' : 's'}`,
    },
    next: { zh: `修正规则：${first}`, en: `Correct the rules: ${first}` },
    reason: problems.join('; '),
  };
}

export const troublesSource = 'site:rules';

/** Files of rules that differ from what was approved, or cannot be read. */
export function ruleTroubles(troubles: readonly string[]): RaiseDecision {
  const first = troubles.slice(0, 4).join('; ');
  return {
    kind: 'raise',
    source: troublesSource,
    class: 'high',
    message: {
      zh: `${troubles.length} 个规则文件需要处理`,
      en: `${troubles.length} rule file${troubles.length === 1 ? '' : 's'} must be seen to`,
    },
    next: {
      zh: `在控制台批准或否决，或修正文件：${first}`,
      en: `Approve it or turn it down in the console, or mend the file: ${first}`,
    },
    reason: troubles.join('; '),
  };
}

export function voiceLost(health: DeviceHealth, speakers: number): RaiseDecision {
  return {
    kind: 'raise',
    source: voiceSource,
    class: 'high',
    message: {
      zh: `${speakers} 个扬声器无法播放全部音频`,
      en: `${speakers} speaker${speakers === 1 ? '' : 's'} cannot play every clip`,
    },
    next: { zh: `修正音频文件：${health.message}`, en: `Mend the clip: ${health.message}` },
    reason: health.message,
  };
}
