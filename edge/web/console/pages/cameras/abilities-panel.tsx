import { Age } from '../../kit/age.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import type { CameraView } from '../../use-cameras.ts';
import { words } from './words.ts';

const codecs: Readonly<Record<string, string>> = { h264: 'H.264', h265: 'H.265', other: '—' };

/** What the camera said of itself. */
export function AbilitiesPanel({ camera }: { readonly camera: CameraView }) {
  const say = useWords(words);
  const formats = useFormats();
  if (camera.factsTime === null) {
    return (
      <Panel title={say.abilities}>
        <p className="kit-soft">{say.neverAsked}</p>
      </Panel>
    );
  }
  const streamText = ({ codec, width, height, frameRate }: CameraView['streams'][number]) =>
    [
      codecs[codec] ?? codec,
      width === null || height === null ? '' : `${width} × ${height}`,
      frameRate === null ? '' : say.perSecond(formats.number(frameRate, 0)),
    ]
      .filter((part) => part !== '')
      .join(' · ');
  const degrees = (value: number) => `${formats.number(value, 0)}°`;
  const { view, ptz } = camera;
  const turning = () => {
    if (ptz === null) return say.fixed;
    return [say.presets(ptz.presets.length), ptz.home ? say.home : ''].filter((part) => part !== '').join(' · ');
  };
  const facts: (readonly [string, string])[] = [
    [say.maker, [camera.maker, camera.model].filter((part) => part !== '').join(' ') || '—'],
    [say.firmware, camera.firmware || '—'],
    ...camera.streams.map(
      (stream) => [stream.role === 'main' ? say.streamMain : say.streamSub, streamText(stream)] as const,
    ),
    ...(camera.may.live ? [[say.ptz, turning()] as const] : []),
    [say.inputs, say.ports(camera.inputs)],
    [say.relays, say.ports(camera.relays)],
    ...(camera.may.live
      ? [
          [
            say.view,
            view === null
              ? say.noView
              : say.viewOf(degrees(view.direction), degrees(view.angle), formats.number(view.range, 0)),
          ] as const,
        ]
      : []),
  ];
  return (
    <Panel title={say.abilities}>
      <dl className="cameras-lines">
        {facts.map(([title, text]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>{text}</dd>
          </div>
        ))}
        <div>
          <dt>{say.askedAt}</dt>
          <dd>
            <Age time={camera.factsTime} />
          </dd>
        </div>
      </dl>
    </Panel>
  );
}
