import { CloseOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react';
import { useWords } from '../../kit/language.tsx';
import { useMedia } from '../../kit/theme.tsx';
import type { Stage } from './use-stage.ts';
import type { Spot } from './view.ts';
import { words } from './words.ts';

const width = 320;
const gap = 26;
const edge = 8;

/**
 * What is open beside a glyph, inside of the stage; at the bottom of the screen on a phone (by the style sheet). The keyboard
 * goes into it; Escape closes it and goes back to where one was.
 */
export function Card({
  stage,
  spot,
  title,
  children,
  onClose,
}: {
  readonly stage: Stage;
  readonly spot: Spot;
  readonly title: ReactNode;
  readonly children: ReactNode;
  readonly onClose: () => void;
}) {
  const say = useWords(words);
  const box = useRef<HTMLElement>(null);
  const isSheet = useMedia('(max-width: 600px)');
  useEffect(() => {
    const before = document.activeElement;
    box.current?.focus({ preventScroll: true });
    return () => {
      const isLost = document.activeElement === null || document.activeElement === document.body;
      if (isLost && before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  if (stage.size === null) return null;
  const x = stage.view.x + spot.x * stage.layer.width;
  const y = stage.view.y + spot.y * stage.layer.height;
  const left = Math.max(edge, Math.min(stage.size.width - width - edge, x - width / 2));
  const isBelow = y < stage.size.height / 2;
  const top = Math.max(edge, y + gap);
  const bottom = Math.max(edge, stage.size.height - y + gap);
  const room = stage.size.height - (isBelow ? top : bottom) - edge;
  return (
    <section
      ref={box}
      className="map-card"
      tabIndex={-1}
      role="dialog"
      aria-labelledby="map-card-title"
      {...(isSheet ? {} : { style: { left, width, maxHeight: room, ...(isBelow ? { top } : { bottom }) } })}
      onKeyDown={(event: KeyboardEvent) => {
        event.stopPropagation();
        if (event.key === 'Escape') onClose();
      }}
      onPointerDown={(event) => event.stopPropagation()}
      onClick={(event) => event.stopPropagation()}
    >
      <header>
        <h3 id="map-card-title">{title}</h3>
        <Button type="text" icon={<CloseOutlined />} aria-label={say.close} onClick={onClose} />
      </header>
      <div className="map-card-body">{children}</div>
    </section>
  );
}
