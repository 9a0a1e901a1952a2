import { defineWords, type Language } from './kit/words.ts';
import type { TalkState } from './talk.ts';

/** Why nobody can speak, and why it is over: what happened, and what to do. */
export const talkWords = defineWords({
  zh: {
    insecure: '浏览器只允许加密网页使用话筒：请用 https 地址打开控制台',
    unsupported: '本浏览器不能使用话筒喊话：请更换浏览器',
    denied: '未获准使用话筒：请在浏览器地址栏旁允许话筒，再试一次',
    noMicrophone: '没有找到话筒：请接上话筒，再试一次',
    microphoneBusy: '话筒正被其他程序占用：请先关闭那个程序',
    microphoneLost: '话筒已断开：喊话已结束',
    refused: '没有开始喊话：',
    talkOpen: '您已在另一个窗口喊话：请先结束那一个',
    streamsFull: '同时喊话的人太多：请稍后再试',
    forbidden: '您没有喊话的权限',
    unreachable: '连不上校园主机',
    soundNoSpeaker: '所选范围内没有扬声器',
    failed: '没有开始喊话，请再试一次',
    ended: '喊话已结束',
    stopped: '喊话已被停止',
    silent: '话筒没有传来声音，喊话已结束',
    tooLong: '已满 30 分钟，喊话已结束',
    badSound: '话筒的声音无法识别，喊话已结束',
    taken: '喊话通道已被占用：请再试一次',
    soundAway: '广播服务正在重新启动，喊话已中断：请重新开始',
    stopping: '控制台服务正在重新启动，喊话已中断：请重新开始',
    lost: '与校园主机的连接中断，喊话已结束',
  },
  en: {
    insecure: 'Browsers give the microphone to encrypted pages only: open the console by its https address',
    unsupported: 'This browser cannot speak live: use another one',
    denied: 'The microphone is not allowed: allow it beside the address of this page, then try again',
    noMicrophone: 'There is no microphone: connect one, then try again',
    microphoneBusy: 'Another program has the microphone: close that one first',
    microphoneLost: 'The microphone is gone: the live page has ended',
    refused: 'The live page was not begun: ',
    talkOpen: 'You are speaking in another window: end that first',
    streamsFull: 'Too many people are speaking: try again later',
    forbidden: 'You may not speak live',
    unreachable: 'The campus box cannot be reached',
    soundNoSpeaker: 'There is no loudspeaker where you want to be heard',
    failed: 'The live page was not begun: try again',
    ended: 'The live page has ended',
    stopped: 'The live page was stopped',
    silent: 'No sound came from the microphone: the live page has ended',
    tooLong: '30 minutes are over: the live page has ended',
    badSound: 'The sound of the microphone is not understood: the live page has ended',
    taken: 'The line is taken: try again',
    soundAway: 'Broadcasting is being started again and the live page was cut off: begin again',
    stopping: 'The console is being started again and the live page was cut off: begin again',
    lost: 'The line to the campus box broke: the live page has ended',
  },
});

type Key = keyof (typeof talkWords)['zh'];

const keys: Readonly<Record<string, Key>> = {
  'no-microphone': 'noMicrophone',
  'microphone-busy': 'microphoneBusy',
  'microphone-lost': 'microphoneLost',
  'talk-open': 'talkOpen',
  'streams-full': 'streamsFull',
  'sound-no-speaker': 'soundNoSpeaker',
  'too-long': 'tooLong',
  'too-fast': 'badSound',
  'bad-sound': 'badSound',
  full: 'streamsFull',
  'sound-away': 'soundAway',
};

/** How it ended, for people; '' while it goes on. */
export function talkText(state: TalkState, language: Language): string {
  if (state.kind !== 'over' && state.kind !== 'failed') return '';
  const words = talkWords[language];
  if (state.kind === 'failed' && state.reason === 'refused') return `${words.refused}${state.message}`;
  const known = keys[state.reason] ?? state.reason;
  return Object.hasOwn(words, known) ? words[known as Key] : words.failed;
}
