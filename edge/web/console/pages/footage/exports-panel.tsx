import { Button, Progress } from 'antd';
import { DownloadLink } from '../../kit/download.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { useDeviceName } from '../../names.ts';
import { useFootageTexts } from './texts.ts';
import type { Exports, ShownExport } from './use-exports.ts';
import { words } from './words.ts';

/** What was taken out on this page: how far it is, and its files. */
export function ExportsPanel({ exports }: { readonly exports: Exports }) {
  const say = useWords(words);
  if (exports.exports.length === 0) return null;
  return (
    <Panel title={say.exports}>
      <ul className="footage-exports">
        {exports.exports.map((one) => (
          <ExportLine key={one.job.id} shown={one} onDiscard={() => exports.discard(one.job.id)} />
        ))}
      </ul>
    </Panel>
  );
}

function ExportLine({
  shown: { job, isGone },
  onDiscard,
}: {
  readonly shown: ShownExport;
  readonly onDiscard: () => void;
}) {
  const say = useWords(words);
  const formats = useFormats();
  const deviceName = useDeviceName();
  const { lengthText } = useFootageTexts();
  const names = job.cameras.map(deviceName).join(' · ');
  const isDone = job.state === 'ready' || job.state === 'failed';
  const span = say.stretchOf(formats.moment(job.from, now()), formats.clock(job.to), lengthText(job.to - job.from));
  return (
    <li data-export={isGone ? 'gone' : job.state}>
      <p>
        <b>{names}</b> <span className="kit-number">{span}</span>
      </p>
      <p className="kit-soft">
        {isGone
          ? say.gone
          : [say[`state:${job.state}`], job.isMasked ? say.masked : ''].filter((text) => text !== '').join(' · ')}
        {job.state === 'failed' && ` · ${job.message === 'the disk is full' ? say['problem:disk'] : job.message}`}
      </p>
      {!isDone && !isGone && (
        <>
          <Progress percent={Math.round(job.progress * 100)} aria-label={say.progress(names)} />
          <p className="kit-soft">{say.stay}</p>
        </>
      )}
      <div className="kit-actions">
        {job.state === 'ready' &&
          !isGone &&
          job.files.map((file, index) => (
            <span key={file.file} className="footage-file">
              <DownloadLink href={`api/v1/footage/exports/${job.id}/files/${index}`}>
                {say.download} {deviceName(file.camera)} · {formats.bytes(file.bytes)}
              </DownloadLink>
              {file.gaps.length > 0 && <span className="kit-soft">{say.withGaps(file.gaps.length)}</span>}
            </span>
          ))}
        <Button data-act="discard" onClick={onDiscard}>
          {isDone ? say.discard : say.stop}
        </Button>
      </div>
    </li>
  );
}
