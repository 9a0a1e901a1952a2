import { defineWords } from '../../kit/words.ts';

export const words = defineWords({
  zh: {
    title: '校园日程',
    about: '今天怎样走、后面两周怎样走，以及为什么',
    wholeCampus: '全校',
    byOwner: '本机管理者',
    byProgram: (id: string) => `程序 ${id}`,
  },
  en: {
    title: 'School day',
    about: 'What today does, what the next two weeks do, and why',
    wholeCampus: 'Whole campus',
    byOwner: 'owner of this box',
    byProgram: (id: string) => `program ${id}`,
  },
});
