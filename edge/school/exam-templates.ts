import type { Name } from '#edge/domain/place.ts';
import type { LocalDate, SchoolExam } from '#edge/domain/school.ts';
import { clockOf } from './dates.ts';

/*
 * What is read out at an examination, and when. Sichuan's ten commands for the state examinations (province-wide since 2009): the first
 * paper of an examination begins ten minutes earlier with its music, because that is when people find their rooms.
 */

export interface ExamCommand {
  readonly id: string;
  readonly name: Name;
  /** Of the paper's beginning or end. */
  readonly edge: 'start' | 'end';
  /** Seconds, negative: before. */
  readonly offset: number;
  /** For the first paper of the examination, where it differs. */
  readonly first?: number;
  /** How long its sound lasts, seconds. */
  readonly seconds: number;
}

const minute = 60;

export const examTemplates: Readonly<Record<SchoolExam['template'], readonly ExamCommand[]>> = {
  sichuan: [
    command('entry-music', '入场音乐', 'Music before entry', 'start', -25, 5 * minute, -35),
    command('entry-bell', '考生入场铃', 'Bell: candidates enter', 'start', -20, 15),
    command('rules', '宣读考试规则、发答题卡', 'Rules are read, answer sheets handed out', 'start', -15, 2 * minute),
    command('unseal', '启封试卷袋', 'Bags of papers are unsealed', 'start', -10, 30),
    command('board', '核对试卷、板书', 'Papers are checked, the board is written', 'start', -8, 30),
    command('hand-out', '分发试卷', 'Papers are handed out', 'start', -5, 30),
    command('begin', '开考铃', 'Bell: the paper begins', 'start', 0, 15),
    command('last-minutes', '距考试结束还有15分钟', '15 minutes are left', 'end', -15, 30),
    command('end', '考试结束铃', 'Bell: the paper ends', 'end', 0, 15),
    command('collect', '清点试卷、考生退场', 'Papers are counted, candidates leave', 'end', 2, minute),
  ],
};

function command(
  id: string,
  zh: string,
  en: string,
  edge: 'start' | 'end',
  minutes: number,
  seconds: number,
  first?: number,
): ExamCommand {
  const base = { id, name: { zh, en }, edge, offset: minutes * minute, seconds };
  return first === undefined ? base : { ...base, first: first * minute };
}

export interface TimedCommand {
  readonly command: ExamCommand;
  /** Of the day. May lie outside it: plan-entries.ts refuses such a paper. */
  readonly second: number;
}

/** The commands of a paper of the examination, in order. */
export function commandsOf(exam: SchoolExam, paper: SchoolExam['papers'][number]): readonly TimedCommand[] {
  const first = exam.papers.reduce((a, b) => (`${b.date} ${pad(b.at)}` < `${a.date} ${pad(a.at)}` ? b : a), paper);
  return examTemplates[exam.template].map((command) => {
    const offset = first === paper ? (command.first ?? command.offset) : command.offset;
    return { command, second: paper.at + (command.edge === 'end' ? paper.minutes * minute : 0) + offset };
  });
}

function pad(second: number): string {
  return String(second).padStart(5, '0');
}

/** The key of the occurrence of a command. */
export function commandKey(exam: string, { command, second }: TimedCommand, date: LocalDate): string {
  return `${exam}.${command.id}@${date}T${clockOf(second)}`;
}
