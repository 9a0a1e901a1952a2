import { App, Button } from 'antd';
import { useWords } from '../../kit/language.tsx';
import type { Body } from './read-body.ts';
import { words } from './words.ts';
import { yamlText } from './yaml-text.ts';

/** A rule as its file holds it: to be read and copied, not changed. */
export function FileText({ body }: { readonly body: Body }) {
  const say = useWords(words);
  const { message } = App.useApp();
  const text = yamlText(body);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    void message.success(say.copied);
  };
  return (
    <div className="rules-file">
      <div className="rules-file-bar">
        <span className="kit-soft">{say.fileHelp}</span>
        {/* Browsers give the clipboard to pages that came over TLS or from this machine. */}
        {window.isSecureContext && <Button onClick={() => void copy()}>{say.copy}</Button>}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard. */}
      <pre tabIndex={0}>{text}</pre>
    </div>
  );
}
