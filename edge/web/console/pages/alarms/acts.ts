import { App } from 'antd';
import { useCallback, useState } from 'react';
import { longestShelf } from '#edge/domain/alarm.ts';
import { type AlarmView, ApiError, api, errorText } from '../../api.ts';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { useRight } from '../../session.tsx';
import { useLink } from '../../use-live.tsx';
import { isUnseen } from './lines.ts';
import { words } from './words.ts';

/** What a person does about alarms, one or several at once. */
export interface AlarmActs {
  readonly may: boolean;
  /** Core is not there: nothing can be done for now. */
  readonly isAway: boolean;
  readonly isBusy: boolean;
  /** Says with words on the screen what came of it; true when all of it worked. */
  acknowledge(alarms: readonly AlarmView[], note: string): Promise<boolean>;
  unshelve(alarm: AlarmView): Promise<boolean>;
  /** Rejects with what went wrong, for the dialog that asked. */
  shelve(alarms: readonly AlarmView[], minutes: number, reason: string): Promise<void>;
  sayError(error: unknown): string;
}

/** Several at once, but not a flood: the box answers each when it is on its disk. */
const atOnce = 4;

/** The first error and how many there were. */
async function each(alarms: readonly AlarmView[], act: (alarm: AlarmView) => Promise<unknown>) {
  const errors: unknown[] = [];
  const waiting = [...alarms];
  const work = async () => {
    for (let alarm = waiting.shift(); alarm !== undefined; alarm = waiting.shift()) {
      await act(alarm).catch((error: unknown) => errors.push(error));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return errors;
}

export function useAlarmActs(): AlarmActs {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const { message } = App.useApp();
  const { state } = useLink();
  const may = useRight('acknowledge');
  const [busy, setBusy] = useState(0);
  const sayError = useCallback(
    (error: unknown) =>
      error instanceof ApiError && error.code === 'alarm-not-shelvable'
        ? say.shelveRefused
        : errorText(error, language),
    [say, language],
  );
  const run = async (alarms: readonly AlarmView[], act: (alarm: AlarmView) => Promise<unknown>, done: string) => {
    setBusy((count) => count + 1);
    const errors = await each(alarms, act);
    setBusy((count) => count - 1);
    if (errors.length === 0) void message.success(done);
    else if (alarms.length === 1) void message.error(sayError(errors[0]), 6);
    else void message.error(say.someFailed(errors.length, alarms.length, sayError(errors[0])), 8);
    return errors.length === 0;
  };
  return {
    may,
    isAway: state === 'lost' || state === 'core-away',
    isBusy: busy > 0,
    sayError,
    acknowledge: async (alarms, note) => {
      const open = alarms.filter(isUnseen);
      if (open.length === 0) return true;
      const act = ({ id }: AlarmView) => api.post(`alarms/${id}/acknowledge`, { note });
      return run(open, act, say.acknowledged(open.length));
    },
    unshelve: (alarm) => run([alarm], ({ id }) => api.post(`alarms/${id}/unshelve`), say.unshelved),
    shelve: async (alarms, minutes, reason) => {
      const errors = await each(alarms, ({ id }) => api.post(`alarms/${id}/shelve`, { minutes, reason }));
      if (errors.length === alarms.length) throw errors[0];
      if (errors.length > 0) {
        void message.error(say.someFailed(errors.length, alarms.length, sayError(errors[0])), 8);
      } else void message.success(say.shelvedDone(formats.duration(minutes * 60_000)));
    },
  };
}

const choices = [15, 30, 60, 120, 240, 480];

/** For how long all of these may be shelved, minutes: by the strictest class among them. */
export function shelveChoices(alarms: readonly AlarmView[]): number[] {
  const limit = Math.min(...alarms.map((alarm) => longestShelf[alarm.class]));
  return choices.filter((minutes) => minutes <= limit);
}
