import { defineWords } from '../../kit/words.ts';

export const words = defineWords({
  zh: {
    title: '安全合规',
    about:
      '依据 GB/T 22239-2019（等级保护基本要求）及其物联网扩展要求，逐项给出本校现状和证据。这里只反映系统能自己看到的，不能代替测评。',
    checked: '检查于',
    again: '重新检查',
    print: '打印',
    only: '只看未满足',
    all: '全部',
    met: '满足',
    partly: '部分满足',
    unmet: '未满足',
    outside: '不在系统内',
    evidence: '证据',
    next: '下一步',
    summary: '概况',
    none: '没有未满足的项',
    noneHelp: '其余的项在“全部”里。',
  },
  en: {
    title: 'Security',
    about:
      'The control points of GB/T 22239-2019 and its IoT extension, with what this campus shows for each right now. It holds only what the system can see by itself and replaces no assessment.',
    checked: 'Checked',
    again: 'Check again',
    print: 'Print',
    only: 'Only what is not met',
    all: 'All',
    met: 'Met',
    partly: 'Partly met',
    unmet: 'Not met',
    outside: 'Outside the system',
    evidence: 'Evidence',
    next: 'Next step',
    summary: 'Summary',
    none: 'Nothing is left unmet',
    noneHelp: 'The others are under “All”.',
  },
});
