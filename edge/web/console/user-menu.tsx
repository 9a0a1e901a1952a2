import { Dropdown } from 'antd';
import { type ComponentType, type Ref, useEffect, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { useWords } from './kit/language.tsx';
import { useShortcutHelp } from './kit/shortcuts.tsx';
import { useSignOut } from './session.tsx';
import { frameWords } from './words.ts';

/** What opens below the name of who is signed in. It is open when it comes: it was fetched by the press for it. */
export default function UserMenuItems({
  Trigger,
}: {
  readonly Trigger: ComponentType<{ readonly ref?: Ref<HTMLButtonElement> }>;
}) {
  const words = useWords(frameWords);
  const signOut = useSignOut();
  const showHelp = useShortcutHelp();
  const [, navigate] = useLocation();
  const [isOpen, setOpen] = useState(true);
  const trigger = useRef<HTMLButtonElement>(null);
  // The button that was pressed is gone with the press, and the keyboard with it.
  useEffect(() => trigger.current?.focus(), []);
  return (
    <Dropdown
      trigger={['click']}
      open={isOpen}
      onOpenChange={setOpen}
      menu={{
        items: [
          { key: 'account', label: words.account },
          { key: 'keys', label: words.helpKeys, extra: '?' },
          { type: 'divider' },
          { key: 'out', label: words.signOut },
        ],
        onClick: ({ key }) => {
          if (key === 'account') navigate('/account');
          else if (key === 'keys') showHelp();
          else void signOut();
        },
      }}
    >
      <Trigger ref={trigger} />
    </Dropdown>
  );
}
