import { Button, Modal } from 'antd';
import { useEffect, useRef, useState } from 'react';
import { useFormats, useWords } from '../../kit/language.tsx';
import { useListening } from './use-listening.ts';
import { words } from './words.ts';

/** ms */
const longest = 600_000;

interface Recorded {
  readonly file: File;
  readonly address: string;
}

/** A microphone of this PC; nothing leaves it before somebody keeps what was recorded. */
export function RecordDialog({
  onKeep,
  onClose,
}: {
  readonly onKeep: (file: File) => void;
  readonly onClose: () => void;
}) {
  const say = useWords(words);
  const formats = useFormats();
  const [heard, listen] = useListening();
  const { recorded, since, problem, begin, end } = useRecorder(say.recordFile, say.recordRefused);
  return (
    <Modal
      open
      centered
      title={say.recordTitle}
      okText={say.recordKeep}
      cancelText={say.cancel}
      okButtonProps={{ disabled: recorded === null || since !== null }}
      onOk={() => recorded !== null && onKeep(recorded.file)}
      onCancel={onClose}
    >
      <div className="kit-form">
        <p>{say.recordHelp}</p>
        <p role="status">{since === null ? '' : say.recording(formats.duration(since))}</p>
        <div className="kit-actions">
          {since === null ? (
            <Button type={recorded === null ? 'primary' : 'default'} onClick={() => void begin()}>
              {say.recordBegin}
            </Button>
          ) : (
            <Button danger onClick={end}>
              {say.recordEnd}
            </Button>
          )}
          {recorded !== null && since === null && (
            <Button onClick={() => listen(heard === null ? recorded.address : null)}>
              {heard === null ? say.preview : say.stop}
            </Button>
          )}
        </div>
        <p className="kit-form-error" role="alert">
          {problem}
        </p>
      </div>
    </Modal>
  );
}

function useRecorder(title: string, refused: string) {
  const recorder = useRef<MediaRecorder | null>(null);
  const [recorded, setRecorded] = useState<Recorded | null>(null);
  /** ms so far; null: nothing is recorded now. */
  const [since, setSince] = useState<number | null>(null);
  const [problem, setProblem] = useState('');
  useEffect(() => () => recorder.current?.stop(), []);
  useEffect(() => () => URL.revokeObjectURL(recorded?.address ?? ''), [recorded]);
  const isOn = since !== null;
  useEffect(() => {
    if (!isOn) return;
    const begun = performance.now();
    const timer = setInterval(() => {
      const now = performance.now() - begun;
      setSince(now);
      if (now > longest) recorder.current?.stop();
    }, 500);
    return () => clearInterval(timer);
  }, [isOn]);
  const begin = async () => {
    setProblem('');
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      const parts: Blob[] = [];
      const made = new MediaRecorder(stream);
      made.ondataavailable = ({ data }) => void parts.push(data);
      made.onstop = () => {
        for (const track of stream.getTracks()) track.stop();
        recorder.current = null;
        setSince(null);
        const file = new File(parts, title, { type: made.mimeType });
        if (file.size > 0) setRecorded({ file, address: URL.createObjectURL(file) });
      };
      recorder.current = made;
      made.start(1_000);
      setSince(0);
    } catch {
      setProblem(refused);
    }
  };
  return { recorded, since, problem, begin, end: () => recorder.current?.stop() };
}
