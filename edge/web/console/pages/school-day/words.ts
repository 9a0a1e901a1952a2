import { defineWords } from '../../kit/words.ts';

export const words = defineWords({
  zh: { title: '校园日程', about: '今天怎样走、后面两周怎样走，以及为什么' },
  en: { title: 'School day', about: 'What today does, what the next two weeks do, and why' },
});
