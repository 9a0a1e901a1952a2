import type { ReactNode } from 'react';
import { LineIcon } from './kit/line-icon.tsx';

/* One line drawing for each kind of device, and for what a sensor measures. */

const meter = <path d="M3 10a7 7 0 0 1 14 0M3 10v6h14v-6M10 10l3-3M6 16v-2M14 16v-2" />;
const smoke = <path d="M3 8c0-2 3-4 7-4s7 2 7 4v2H3zM6 13v1M10 13v3M14 13v1" />;
const drop = <path d="M10 2.5s5 5.5 5 9a5 5 0 0 1-10 0c0-3.5 5-9 5-9z" />;
const person = <path d="M10 8a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM5 17v-2.500a3 3 0 0 1 3-3h4a3 3 0 0 1 3 3V17" />;
const door = <path d="M5 17V3h8v14M3 17h14M10.5 10h.01" />;
const air = <path d="M3 8h9a2 2 0 1 0-2-2M3 11h12a2 2 0 1 1-2 2M3 14h6a1.5 1.5 0 1 1-1.5 1.5" />;
const thermometer = <path d="M8 11V4a2 2 0 1 1 4 0v7a3.5 3.5 0 1 1-4 0zM10 8v6" />;
const button = <path d="M4 11h12v5H4zM7 11V8a3 3 0 0 1 6 0v3" />;
const sensor = (
  <path d="M10 11.500a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM6 6a5.5 5.5 0 0 0 0 8M14 6a5.5 5.5 0 0 1 0 8M3.5 3.500a9 9 0 0 0 0 13M16.5 3.500a9 9 0 0 1 0 13" />
);

const kinds: Readonly<Record<string, ReactNode>> = {
  meter,
  relay: <path d="M7 3v4M13 3v4M5 7h10v3a5 5 0 0 1-10 0zM10 15v3" />,
  camera: <path d="M2.5 6h10v8h-10zM12.5 9l5-2.500v7l-5-2.5" />,
  speaker: <path d="M3 7.500h3L10 4v12l-4-3.500H3zM13 7.200a4 4 0 0 1 0 5.600M15.3 5a7 7 0 0 1 0 10" />,
  climate: thermometer,
  display: <path d="M2.5 4h15v9.500h-15zM10 13.500V17M6.5 17h7" />,
};
const measures: readonly (readonly [RegExp, ReactNode])[] = [
  [/^(smoke|alarm|gas|carbon_monoxide)$/, smoke],
  [/^water_leak$/, drop],
  [/^(occupancy|presence|person|motion)$/, person],
  [/^contact$/, door],
  [/^(co2|pm2_5|pm10)$/, air],
  [/^temperature$/, thermometer],
  [/^(power|energy)$/, meter],
  [/^(action|button|pressed)$/, button],
];

interface KindIconProps {
  readonly kind: string;
  /** What a sensor measures. */
  readonly point?: string | undefined;
  readonly size?: number;
}

/** Decoration: the name beside it says what it is. */
export function KindIcon({ kind, point = '', size = 18 }: KindIconProps) {
  return <LineIcon size={size}>{shapeOf(kind, point)}</LineIcon>;
}

function shapeOf(kind: string, point: string): ReactNode {
  if (kind !== 'sensor') return kinds[kind] ?? sensor;
  return measures.find(([pattern]) => pattern.test(point))?.[1] ?? sensor;
}
