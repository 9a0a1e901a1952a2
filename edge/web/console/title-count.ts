import { useEffect } from 'react';

const badge = /^\(\d+\+?\) /;

/** `(3) 总览`: how many alarms nobody has seen, also where only the tab is to be seen. Whatever page sets the title. */
export function useTitleCount(count: number): void {
  useEffect(() => {
    const put = () => {
      const plain = document.title.replace(badge, '');
      const title = count === 0 ? plain : `(${count > 99 ? '99+' : count}) ${plain}`;
      if (document.title !== title) document.title = title;
    };
    put();
    const observer = new MutationObserver(put);
    observer.observe(document.head, { childList: true, characterData: true, subtree: true });
    return () => {
      observer.disconnect();
      document.title = document.title.replace(badge, '');
    };
  }, [count]);
}
