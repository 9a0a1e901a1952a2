import { SankeyChart } from 'echarts/charts';
import { TooltipComponent } from 'echarts/components';
import { type EChartsCoreOption, type EChartsType, init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useEffect, useRef } from 'react';
import { goTo, hashOf } from '../../address.ts';
import { useLook } from '../../kit/theme.tsx';
import type { Node, Paint, Streams } from './flows.ts';

use([SankeyChart, TooltipComponent, CanvasRenderer]);

export interface SankeyProps {
  readonly picture: Streams;
  readonly nameOf: (node: Node) => string;
  readonly amountText: (amount: number) => string;
  readonly label: string;
}

type Colour = string | { readonly image: HTMLCanvasElement; readonly repeat: 'repeat' };

const variables: Readonly<Record<Exclude<Paint, 'unaccounted'>, string>> = {
  lighting_sockets: 'medium',
  air_conditioning: 'low',
  motive_power: 'accent',
  special: 'high',
  none: 'soft',
};

function kit(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--kit-${name}`).trim();
}

function hatched(): Colour {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 8;
  const context = canvas.getContext('2d');
  if (context === null) return kit('soft');
  context.fillStyle = kit('panel');
  context.fillRect(0, 0, 8, 8);
  context.strokeStyle = kit('soft');
  context.lineWidth = 2;
  context.beginPath();
  for (const shift of [-8, 0, 8]) {
    context.moveTo(shift, 8);
    context.lineTo(shift + 8, 0);
  }
  context.stroke();
  return { image: canvas, repeat: 'repeat' };
}

interface Told {
  readonly dataType?: string;
  readonly name: string;
  readonly data: { readonly source?: string; readonly target?: string; readonly value?: number };
}

/** Words on the canvas keep to one line of at most this many px. */
const mostWidth = 240;

/** How much room the words at the right end need. */
function widthOf(texts: readonly string[], fontFamily: string): number {
  const context = document.createElement('canvas').getContext('2d');
  if (context === null) return mostWidth;
  context.font = `13px ${fontFamily}`;
  return Math.min(mostWidth, Math.max(60, ...texts.map((text) => Math.ceil(context.measureText(text).width))));
}

function optionOf({ picture, nameOf, amountText }: Omit<SankeyProps, 'label'>): EChartsCoreOption {
  const { nodes, streams } = picture;
  const hatch = hatched();
  const colourOf = (paint: Paint): Colour => (paint === 'unaccounted' ? hatch : kit(variables[paint]));
  const known = new Map(nodes.map((node) => [node.key, node]));
  const called = (key: string | undefined) => {
    const node = known.get(key ?? '');
    return node === undefined ? '' : nameOf(node);
  };
  const amountOf = (key: string) => amountText(known.get(key)?.amount ?? 0);
  const fontFamily = getComputedStyle(document.body).fontFamily;
  const ends = nodes.filter(({ key }) => !streams.some(({ from }) => from === key));
  const labelWidth = widthOf(
    ends.map(({ key }) => `${called(key)} ${amountOf(key)}`),
    fontFamily,
  );
  return {
    animation: false,
    textStyle: { fontFamily },
    // Markup of its own would break the content security policy.
    tooltip: {
      renderMode: 'richText',
      confine: true,
      backgroundColor: kit('panel'),
      borderColor: kit('line'),
      textStyle: { color: kit('text'), fontSize: 13, fontFamily },
      formatter: ({ dataType, name, data }: Told) =>
        dataType === 'edge'
          ? `${called(data.source)} → ${called(data.target)}\n${amountText(data.value ?? 0)}`
          : `${called(name)}\n${amountOf(name)}`,
    },
    series: [
      {
        type: 'sankey',
        left: 2,
        right: labelWidth + 16,
        top: 6,
        bottom: 6,
        nodeWidth: 14,
        nodeGap: 18,
        nodeAlign: 'left',
        layoutIterations: 48,
        draggable: false,
        emphasis: { focus: 'adjacency' },
        lineStyle: { curveness: 0.5, opacity: 0.28 },
        label: {
          color: kit('text'),
          fontFamily,
          fontSize: 13,
          lineHeight: 17,
          width: mostWidth,
          overflow: 'truncate',
          textBorderColor: kit('panel'),
          textBorderWidth: 3,
          rich: {
            soft: {
              color: kit('text'),
              fontSize: 12,
              lineHeight: 16,
              fontFamily,
              textBorderColor: kit('panel'),
              textBorderWidth: 3,
            },
          },
          // Braces would begin a style of the canvas.
          formatter: ({ name }: { readonly name: string }) =>
            `${called(name).replace(/[{}|]/g, ' ')} {soft|${amountOf(name)}}`,
        },
        data: nodes.map(({ key, paint }) => ({
          name: key,
          itemStyle: {
            color: colourOf(paint),
            borderColor: paint === 'unaccounted' ? kit('soft') : 'transparent',
            borderWidth: 1,
          },
        })),
        links: streams.map(({ from, to, amount }) => {
          const paint = known.get(to)?.paint ?? 'none';
          return {
            source: from,
            target: to,
            value: amount,
            lineStyle: {
              color: kit(paint === 'unaccounted' ? 'soft' : variables[paint]),
              opacity: paint === 'unaccounted' ? 0.18 : 0.3,
            },
          };
        }),
      },
    ],
  };
}

/** Streams from the main meters to what they are used for. A click opens a meter. */
export function Sankey(props: SankeyProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const { isDark } = useLook();
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    if (place.current === null) return;
    const made = init(place.current, null, { renderer: 'canvas' });
    chart.current = made;
    made.on('click', (event) => {
      const node = latest.current.picture.nodes.find(({ key }) => key === event.name);
      if (event.dataType === 'node' && node?.what === 'meter') goTo(hashOf(`/energy/meters/${node.id}`));
    });
    const observer = new ResizeObserver(() => made.resize());
    observer.observe(place.current);
    return () => {
      observer.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, []);

  const { picture, nameOf, amountText } = props;
  useEffect(() => {
    chart.current?.setOption(optionOf({ picture, nameOf, amountText }), { notMerge: true });
  }, [picture, nameOf, amountText, isDark]);

  return <div ref={place} className="energy-sankey" role="img" aria-label={props.label} />;
}
