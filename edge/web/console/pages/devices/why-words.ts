import { defineWords } from '../../kit/words.ts';

/*
 * Why a value may not be used, and what to do about it, for whoever stands in front of the screen. The words of each
 * reason are keyed by the domain's own (`domain/reading.ts`); `:mqtt` is said of sensors that report by themselves.
 */
export const whyWords = defineWords({
  zh: {
    'why:never-read': '本次启动后还没有读到过这个值。',
    'do:never-read': '请看设备是否通电、网线或总线是否接好；刚启动时等一分钟即可。',
    'why:never-read:mqtt': '本次启动后还没有收到过它的上报。',
    'do:never-read:mqtt':
      '传感器要等到下一次上报；可触发一次（按一下、开关一次），仍没有就检查电池和网关。个别型号没有这项值。',
    'why:no-communication': '设备没有应答。',
    'do:no-communication': '依次检查：设备是否通电 → 网线或 485 线是否松脱 → 地址和端口是否正确。系统会自动重试。',
    'why:no-communication:mqtt': '太久没有收到它的上报。',
    'do:no-communication:mqtt': '检查电池电量、与网关的距离，以及网关是否在线。收到上报后自动恢复。',
    'why:communication-error': '设备有应答，但内容不正确（校验错误或乱码）。',
    'do:communication-error': '多为干扰或总线上地址重复：检查屏蔽层与终端电阻，确认没有两台设备用同一地址。',
    'why:configuration-error': '设备拒绝读这个点，或型号文件与设备不符。',
    'do:configuration-error': '请核对设备的实际型号和固件版本，必要时换用正确的型号后重新接入。',
    'why:device-failure': '设备自己报告有故障。',
    'do:device-failure': '请到现场看设备的指示灯和故障码，必要时报修。',
    'why:held': '系统暂时不再询问它，以免把设备锁死或占满总线。',
    'do:held': '多为密码错误或长时间没有应答。改正后会按提示的时间自动再试。',
    'why:last-usable-value': '显示的是最后一次可用的值，之后没有再收到新的。',
    'do:last-usable-value': '可参考，不宜作为判断依据。长时间不更新时，请检查设备与线路。',
    'why:out-of-range': '数值超出这台设备可信的范围。',
    'do:out-of-range': '请与现场仪表核对；若现场显示正常，多为倍率（互感器变比）或型号设置有误。',
    'why:not-accurate': '与同一设备的其他值对不上，准确性存疑。',
    'do:not-accurate': '检查接线相序与互感器方向；核对前不要用于结算。',
    'why:counter-step': '电量等累计值出现了不可能的跳变（倒退或突增）。',
    'do:counter-step': '多为换表、清零或抄到坏帧。若刚换过表可忽略，否则请核对表上读数。',
    'why:clock': '设备的时钟不可信，已改用收到的时间。',
    'do:clock': '请校准设备时钟或开启网络对时，数值本身可用。',
    'why:unknown': '数值不可用，设备没有说明原因。',
    'do:unknown': '请查看设备状态，必要时到现场检查。',
    processDown: (name: string) => `负责它的进程“${name}”没有运行，系统正在重新启动它。`,
    processDownDo: '通常一分钟内恢复，无需处理；仍未恢复请通知管理员查看“系统”页。',
    driverSays: '驱动说明',
    affected: (count: number, all: number) => (count === all ? `全部 ${count} 个值` : `${count} / ${all} 个值`),
    andMore: (names: string, more: number) => (more > 0 ? `${names} 等` : names),
    separator: '、',
    why: '为什么',
    what: '怎么办',
    title: '为什么有值不可用',
  },
  en: {
    'why:never-read': 'It has not been read since the start.',
    'do:never-read': 'See whether the device has power and its cable is plugged in; just after a start, wait a minute.',
    'why:never-read:mqtt': 'It has not reported since the start.',
    'do:never-read:mqtt':
      'A sensor speaks when it has something to say: trigger it once. If nothing comes, check its battery and the gateway. Some models do not have this value.',
    'why:no-communication': 'The device does not answer.',
    'do:no-communication':
      'Check in this order: has it power → is the network or RS-485 cable loose → are address and port right? It is tried again by itself.',
    'why:no-communication:mqtt': 'It has not reported for too long.',
    'do:no-communication:mqtt':
      'Check its battery, how far the gateway is, and whether the gateway is online. It recovers with the next report.',
    'why:communication-error': 'The device answers, but not correctly (checksum error or garbage).',
    'do:communication-error':
      'Mostly interference or an address used twice: check shield and termination, and that no two devices share an address.',
    'why:configuration-error': 'The device refuses this point, or its profile does not fit.',
    'do:configuration-error':
      'Compare the model and firmware on the name plate with the profile; adopt it anew with the right one if need be.',
    'why:device-failure': 'The device says itself that it has failed.',
    'do:device-failure': 'Look at its lamps and error code on the spot, and have it repaired if need be.',
    'why:held': 'It is not asked for now, so that it does not lock itself or block the line.',
    'do:held': 'Mostly a wrong password or a long silence. Once corrected it is tried again at the time it says.',
    'why:last-usable-value': 'This is the last value that could be used; nothing newer has come since.',
    'do:last-usable-value': 'Good as a hint, not for a decision. If it stays, check the device and its line.',
    'why:out-of-range': 'The value is outside of what this device can believably say.',
    'do:out-of-range':
      'Compare with the display on the spot; if that is right, the ratio (current transformer) or the profile is wrong.',
    'why:not-accurate': 'It does not fit the other values of the same device.',
    'do:not-accurate': 'Check phase order and the direction of the transformers; do not bill with it until then.',
    'why:counter-step': 'A counter moved in a way it cannot (backwards, or much too fast).',
    'do:counter-step':
      'Mostly a changed or reset meter, or a broken frame. Ignore it if the meter was just changed, else compare with its display.',
    'why:clock': 'The clock of the device cannot be trusted; the time of arrival stands in.',
    'do:clock': 'Set its clock or turn on network time; the value itself can be used.',
    'why:unknown': 'The value cannot be used, and nobody said why.',
    'do:unknown': 'Look at the state of the device, on the spot if need be.',
    processDown: (name: string) => `The process “${name}” that speaks to it is not running; it is being started again.`,
    processDownDo: 'Mostly it is back within a minute. If not, tell the administrator to look at the System page.',
    driverSays: 'The driver says',
    affected: (count: number, all: number) => (count === all ? `all ${count} values` : `${count} of ${all} values`),
    andMore: (names: string, more: number) => (more > 0 ? `${names} and ${more} more` : names),
    separator: ', ',
    why: 'Why',
    what: 'What to do',
    title: 'Why values cannot be used',
  },
});

export type WhyWords = (typeof whyWords)['zh'];
