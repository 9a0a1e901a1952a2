import { LineIcon } from '../../kit/line-icon.tsx';

/* Signs of the buttons that play. */

const shapes = {
  play: <path d="M6 4.500 15.500 10 6 15.500z" fill="currentColor" />,
  pause: <path d="M6.500 4.500v11M13.500 4.500v11" strokeWidth="2.600" />,
  back: <path d="M4 10a6 6 0 1 0 2-4.500M4 3v4h4" />,
  on: <path d="M16 10a6 6 0 1 1-2-4.500M16 3v4h-4" />,
  frameBack: <path d="M7 4v12M14.500 5 9 10l5.500 5z" />,
  frameOn: <path d="M13 4v12M5.500 5 11 10l-5.500 5z" />,
  markBefore: <path d="M15 5l-5 5 5 5M9 5l-5 5 5 5" />,
  markAfter: <path d="M5 5l5 5-5 5M11 5l5 5-5 5" />,
  full: <path d="M3.500 8V3.500H8M12 3.500h4.500V8M16.500 12v4.500H12M8 16.500H3.500V12" />,
  earlier: <path d="M12 5l-5 5 5 5" />,
  later: <path d="M8 5l5 5-5 5" />,
  nearer: <path d="M10 5v10M5 10h10" />,
  farther: <path d="M5 10h10" />,
} as const;

export type GlyphName = keyof typeof shapes;

export function Glyph({ name }: { readonly name: GlyphName }) {
  return <LineIcon>{shapes[name]}</LineIcon>;
}
