import { defineWords } from '../kit/words.ts';

export const words = defineWords({
  zh: {
    fire: '火灾应急',
    earthquake: '地震应急',
    intrusion: '入侵应急',
    storm: '恶劣天气应急',
    other: '紧急情况',
    drill: (kind: string) => `演练 · ${kind}`,
    since: (time: string, age: string) => `${time} 开始 · 已 ${age}`,
    roll: (done: number, all: number) => `点名 ${done} / ${all}`,
    open: '进入应急处置',
  },
  en: {
    fire: 'Fire',
    earthquake: 'Earthquake',
    intrusion: 'Intruder',
    storm: 'Severe weather',
    other: 'Emergency',
    drill: (kind: string) => `Exercise · ${kind}`,
    since: (time: string, age: string) => `since ${time} · ${age}`,
    roll: (done: number, all: number) => `roll-call ${done} of ${all}`,
    open: 'Go to the emergency',
  },
});
