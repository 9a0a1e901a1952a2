import { defineWords } from '../../kit/words.ts';

export const words = defineWords({
  zh: {
    title: '我的账户',
    empty: '暂无内容',
    emptyHelp: '该页面的内容尚未提供，可先使用总览页。',
  },
  en: {
    title: 'My account',
    empty: 'Nothing here yet',
    emptyHelp: 'This page has no content yet; the overview shows what matters now.',
  },
});
