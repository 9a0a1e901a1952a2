import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Input } from 'antd';
import { type DragEvent, useState } from 'react';
import { api, errorDetail, errorText, problemText } from '../../api.ts';
import { PageHeader } from '../../kit/frame.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useRight } from '../../session.tsx';
import { ClipTable } from './clip-table.tsx';
import { type Clip, clipsKey, useClips } from './data.ts';
import { RecordDialog } from './record-dialog.tsx';
import { SpeakDialog } from './speak-dialog.tsx';
import { Templates } from './templates.tsx';
import { UploadDialog } from './upload-dialog.tsx';
import { words } from './words.ts';
import './clips.css';

type Open = { readonly kind: 'upload'; readonly file: File | null } | { readonly kind: 'record' | 'speak' } | null;

/** The clip library. */
export function Page() {
  const say = useWords(words);
  const language = useLanguage();
  const clips = useClips();
  const mayMake = useRight('broadcast');
  const [sought, setSought] = useState('');
  const [open, setOpen] = useState<Open>(null);
  const saved = useSaved(() => setOpen(null));
  const remove = useRemove();
  const drop = useDrop(mayMake, (file) => setOpen({ kind: 'upload', file }));
  if (clips.isPending) return <PageSkeleton />;
  if (clips.isError) {
    return (
      <ErrorState
        message={errorText(clips.error, language)}
        detail={errorDetail(clips.error)}
        onRetry={() => void clips.refetch()}
      />
    );
  }
  const shown = choose(clips.data, sought);
  return (
    <div className="clips" data-over={drop.isOver} {...drop.handlers}>
      <PageHeader
        title={say.title}
        about={say.about}
        actions={
          mayMake && (
            <>
              <Button onClick={() => setOpen({ kind: 'speak' })}>{say.speak}</Button>
              <Button onClick={() => setOpen({ kind: 'record' })}>{say.record}</Button>
              <Button type="primary" onClick={() => setOpen({ kind: 'upload', file: null })}>
                {say.upload}
              </Button>
            </>
          )
        }
      />
      <div className="clips-filter">
        <div className="kit-field">
          <label htmlFor="clips-text">{say.search}</label>
          <Input
            id="clips-text"
            allowClear
            placeholder={say.searchHint}
            value={sought}
            onChange={(event) => setSought(event.target.value)}
          />
        </div>
        <span className="kit-soft clips-count">{say.count(shown.length)}</span>
      </div>
      {shown.length === 0 ? (
        <EmptyState title={say.none}>{say.noneHelp}</EmptyState>
      ) : (
        <ClipTable clips={shown} mayRemove={mayMake} onRemove={remove} />
      )}
      {mayMake && <p className="clips-drop kit-soft">{say.drop}</p>}
      <Templates mayChange={mayMake} />
      {open?.kind === 'upload' && <UploadDialog file={open.file} onSaved={saved} onClose={() => setOpen(null)} />}
      {open?.kind === 'speak' && <SpeakDialog onSaved={saved} onClose={() => setOpen(null)} />}
      {open?.kind === 'record' && (
        <RecordDialog onKeep={(file) => setOpen({ kind: 'upload', file })} onClose={() => setOpen(null)} />
      )}
    </div>
  );
}

function choose(clips: readonly Clip[], sought: string): readonly Clip[] {
  const wanted = sought.trim().toLowerCase();
  const wordsOf = ({ id, name, text }: Clip) => `${id} ${name.zh} ${name.en} ${text ?? ''}`.toLowerCase();
  // What people made last is what they look for.
  return clips
    .filter((clip) => wanted === '' || wordsOf(clip).includes(wanted))
    .toSorted((a, b) => (b.time ?? 0) - (a.time ?? 0) || a.id.localeCompare(b.id));
}

function useSaved(close: () => void): (name: string) => void {
  const say = useWords(words);
  const client = useQueryClient();
  const { message } = App.useApp();
  return (name) => {
    close();
    void client.invalidateQueries({ queryKey: clipsKey });
    void message.success(say.saved(name));
  };
}

/** Asks, removes, and says what came of it. */
function useRemove(): (clip: Clip) => void {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const client = useQueryClient();
  const { message, modal } = App.useApp();
  return (clip) =>
    void modal.confirm({
      centered: true,
      title: say.removeTitle,
      content: (
        <>
          <p>{name(clip.name)}</p>
          <p>{say.removeHelp}</p>
        </>
      ),
      okText: say.remove,
      okButtonProps: { danger: true },
      cancelText: say.cancel,
      onOk: async () => {
        try {
          await api.delete(`broadcast/clips/${clip.id}?rev=${clip.rev}`);
          void message.success(say.removed);
        } catch (error) {
          void message.error(problemText(error, language));
        }
        await client.invalidateQueries({ queryKey: clipsKey });
      },
    });
}

/** A file that is dropped anywhere on the page. */
function useDrop(isAllowed: boolean, onFile: (file: File) => void) {
  const [isOver, setOver] = useState(false);
  const holdsFile = (event: DragEvent) => isAllowed && event.dataTransfer.types.includes('Files');
  const handlers = {
    onDragOver: (event: DragEvent) => {
      if (!holdsFile(event)) return;
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: () => setOver(false),
    onDrop: (event: DragEvent) => {
      setOver(false);
      const [file] = event.dataTransfer.files;
      if (!holdsFile(event) || file === undefined) return;
      event.preventDefault();
      onFile(file);
    },
  };
  return { isOver, handlers };
}
