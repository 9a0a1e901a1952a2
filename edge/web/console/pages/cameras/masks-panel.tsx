import { Button } from 'antd';
import { lazy, Suspense, useState } from 'react';
import { Panel } from '../../kit/frame.tsx';
import { useWords } from '../../kit/language.tsx';
import { PageSkeleton } from '../../kit/states.tsx';
import { useRight } from '../../session.tsx';
import type { CameraView } from '../../use-cameras.ts';
import { words } from './words.ts';

const MaskEditor = lazy(() => import('./mask-editor.tsx'));

/** What is covered for whoever looks, and a place to draw what should be. */
export default function MasksPanel({ camera }: { readonly camera: CameraView }) {
  const say = useWords(words);
  const [isDrawing, setDrawing] = useState(false);
  // Whoever writes the site file runs this box.
  const mayDraw = useRight('system');
  return (
    <Panel
      title={say.masks}
      extra={
        mayDraw && (
          <Button data-act="draw-masks" aria-expanded={isDrawing} onClick={() => setDrawing(!isDrawing)}>
            {isDrawing ? say.close : say.drawMasks}
          </Button>
        )
      }
    >
      <p className="kit-soft cameras-help">
        {say.masksHelp} {camera.masks.length === 0 ? say.noMasks : say.masksOfYours(camera.masks.length)}
      </p>
      {isDrawing && (
        <Suspense fallback={<PageSkeleton />}>
          <MaskEditor camera={camera} />
        </Suspense>
      )}
    </Panel>
  );
}
