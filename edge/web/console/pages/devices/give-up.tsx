import { useQueryClient } from '@tanstack/react-query';
import { App, Button } from 'antd';
import { useState } from 'react';
import { goTo, hashOf } from '../../address.ts';
import { ApiError, api, errorDetail, errorText } from '../../api.ts';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import type { DeviceEntry } from './tree.ts';
import { words } from './words.ts';

/** Gives up a device that was adopted in the console: says what happens, then does it. */
export function GiveUp({ device }: { readonly device: DeviceEntry }) {
  const say = useWords(words);
  const name = useName();
  const language = useLanguage();
  const queries = useQueryClient();
  const { message, modal } = App.useApp();
  const [isBusy, setBusy] = useState(false);
  const called = name(device.name);
  const giveUp = async () => {
    setBusy(true);
    try {
      await api.delete(`devices/${device.id}`);
      void message.success(say.givenUp(called), 6);
      goTo(hashOf('/devices'), 'replace');
      await queries.invalidateQueries({ queryKey: ['campus'] });
    } catch (error) {
      const detail = error instanceof ApiError && error.code.startsWith('adopt') ? ` ${errorDetail(error)}` : '';
      void message.error(`${errorText(error, language)}${detail}`, 8);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button
      danger
      loading={isBusy}
      onClick={() =>
        void modal.confirm({
          title: say.giveUpTitle(called),
          content: say.giveUpHelp,
          okText: say.giveUp,
          okButtonProps: { danger: true },
          onOk: giveUp,
        })
      }
    >
      {say.giveUp}
    </Button>
  );
}
