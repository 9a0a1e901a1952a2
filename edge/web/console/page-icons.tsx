import type { ReactNode } from 'react';
import { LineIcon } from './kit/line-icon.tsx';
import type { PageName } from './pages.ts';

/* Line icons of the navigation, drawn here: the first page needs no icon package. */

const line = (path: ReactNode) => <LineIcon>{path}</LineIcon>;

export const pageIcons: Readonly<Record<PageName, ReactNode>> = {
  overview: line(<path d="M3 3h6v7H3zM11 3h6v4h-6zM11 9h6v8h-6zM3 12h6v5H3z" />),
  alarms: line(<path d="M5 14V9a5 5 0 0 1 10 0v5l1.5 1.5h-13zM8.3 17.5a1.9 1.9 0 0 0 3.4 0M10 2v2" />),
  incidents: line(<path d="M3 4h14v9H3zM7 17h6M10 13v4M6 8.500l2.500 2 5-4" />),
  patrols: line(
    <path d="M4 3.500h12v13H4zM7 8l1.300 1.300L10.500 7M7 13l1.300 1.300 2.200-2.300M12.500 8.500h1M12.500 13.500h1" />,
  ),
  map: line(<path d="M2.5 5 7.5 3l5 2 5-2v12l-5 2-5-2-5 2zM7.5 3v12M12.5 5v12" />),
  energy: line(<path d="M11 2.500 4.500 11H9l-.500 6.500L15.500 9H11z" />),
  live: line(<path d="M2.500 4h15v9.500h-15zM8.300 6.300l4 2.450-4 2.450zM6 17h8" />),
  footage: line(<path d="M2.500 4h15v8.500h-15zM2.500 16h15M7 14.300v3.400M8.300 6l4 2.300-4 2.300z" />),
  cameras: line(<path d="M2.5 6.5 13 3l1.700 5L4.200 11.500zM9 10l1.300 4H17M17 12v4.500M14.700 8l2-.7-.9-2.600" />),
  devices: line(<path d="M5 5h10v10H5zM8 8h4v4H8zM8 2v3M12 2v3M8 15v3M12 15v3M2 8h3M2 12h3M15 8h3M15 12h3" />),
  meters: line(<path d="M3 10a7 7 0 0 1 14 0v6H3zM10 10l3-3M6.5 13h7" />),
  inbox: line(<path d="M3 11 5.5 4h9L17 11v5H3zM3 11h4l1.2 2h3.6l1.2-2h4" />),
  assets: line(<path d="M11 3h6v6l-8 8-6-6zM13.7 6.3h.01" />),
  system: line(<path d="M2.5 4h15v5h-15zM2.5 11h15v5h-15zM5.5 6.5h.01M5.5 13.5h.01M9 6.5h5M9 13.5h5" />),
  people: line(
    <path d="M7.5 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2 17c0-3 2.2-5 5.5-5s5.5 2 5.5 5M13 4a2.8 2.8 0 0 1 0 5.3M15 12.4c1.9.7 3 2.3 3 4.6" />,
  ),
  audit: line(<path d="M5 2.5h7L16 6.500V17.500H5zM12 2.500V6.500h4M8 10h5M8 13h5" />),
  security: line(<path d="M10 2.5 16.5 5v5c0 4-2.7 6.5-6.5 7.500C6.2 16.5 3.5 14 3.5 10V5zM7.3 10l2 2 3.5-3.7" />),
  account: line(
    <path d="M10 10a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3.5 17.500c0-3.3 2.7-5.5 6.5-5.500s6.5 2.2 6.5 5.5" />,
  ),
  outputs: line(
    <path d="M6.5 5.500h7a4.500 4.500 0 0 1 0 9h-7a4.500 4.500 0 0 1 0-9zM13.500 7.700a2.300 2.300 0 1 0 0 4.600 2.300 2.300 0 0 0 0-4.600z" />,
  ),
  'school-day': line(<path d="M3 4h14v13H3zM3 7.500h14M6.500 2.500v3M13.500 2.500v3M10 9.700v2.600l1.800 1.200" />),
  'school-plan': line(<path d="M3 4h14v13H3zM3 7.500h14M7.500 7.500V17M12.500 7.500V17M3 12.200h14" />),
  power: line(<path d="M6.500 5.500a6 6 0 1 0 7 0M10 2.500v7.500M16 3l-1.500 3.500h2.500L15 10" />),
  emergency: line(<path d="M10 2.500 18 16.500H2zM10 8v4M10 14.200v.3" />),
  broadcast: line(<path d="M3 8v4h3l5 4V4L6 8zM13.500 7.200a4 4 0 0 1 0 5.600M15.500 5a7 7 0 0 1 0 10" />),
  clips: line(
    <path d="M7 15V5l9-2v10M7 15a2.5 2.5 0 1 1-2.500-2.500A2.500 2.500 0 0 1 7 15zM16 13a2.500 2.500 0 1 1-2.500-2.500A2.500 2.500 0 0 1 16 13z" />,
  ),
  rules: line(<path d="M4 3.500h12v13H4zM7 7h2M7 10.500h2M7 14h2M11 7h2.500M11 10.500h2.500M11 14h2.500" />),
  notices: line(<path d="M2.500 4.500h15v10.500h-9L5 18v-3H2.500zM6 8.300h8M6 11.200h5" />),
  flows: line(
    <path d="M2.5 4h5v4h-5zM12.5 3h5v4h-5zM12.5 13h5v4h-5zM7.5 6h2.500c1 0 1-.9 2.5-1M7.5 6H9c2 0 1 9 3.5 9" />,
  ),
};
