import { useState } from 'react';
import { createRoot } from 'react-dom/client';
import { KitProvider } from '../../../../edge/web/console/kit/kit.tsx';
import { CameraPlayer } from '../../../../edge/web/console/kit/player.tsx';

/*
 * Players and nothing else, for tests in a real browser: `#camera=camera-gate&role=main&tiles=4&mask=1&mode=still`. What the tests read are
 * the attributes of the players and the <video> elements themselves.
 */

const wish = new URLSearchParams(location.hash.slice(1));
const mask = { x: 0.25, y: 0.5, width: 0.25, height: 0.25 };

function Page() {
  const [first, setFirst] = useState<number | null>(null);
  const tiles = Number(wish.get('tiles') ?? '1');
  const columns = Math.ceil(Math.sqrt(tiles));
  return (
    <main
      data-first={first ?? ''}
      style={{ display: 'grid', gridTemplateColumns: `repeat(${columns}, 1fr)`, height: '90vh' }}
    >
      {Array.from({ length: tiles }, (_, index) => (
        <CameraPlayer
          key={index}
          camera={wish.get('camera') ?? 'camera-gate'}
          name="Gate"
          role={wish.get('role') === 'main' ? 'main' : 'sub'}
          mode={wish.get('mode') === 'still' ? 'still' : 'live'}
          masks={wish.has('mask') ? [mask] : []}
          showFacts
          onFirstPicture={setFirst}
        />
      ))}
    </main>
  );
}

const nonce = document.querySelector<HTMLMetaElement>('meta[name=csp-nonce]')?.content;
const root = document.getElementById('root');
if (root !== null) {
  createRoot(root).render(
    <KitProvider nonce={nonce} timeZone="Asia/Shanghai">
      <Page />
    </KitProvider>,
  );
}
