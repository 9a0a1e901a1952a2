import { encode } from 'uqr';
import type { Name } from '#edge/domain/place.ts';

/*
 * A label of 62 x 29 mm (a usual die-cut size of label printers, Brother DK-11209) for a device: whoever scans it comes to
 * the device's page. Everything that people wrote is escaped: the label is opened as a document.
 */

export interface Label {
  readonly name: Name;
  /** 资产编号, or '' */
  readonly number: string;
  readonly campus: Name;
  readonly device: string;
  /** Absolute. */
  readonly url: string;
}

const width = 62;
const height = 29;
const margin = 2;
const code = height - 2 * margin;
const textX = code + 2 * margin;
const textWidth = width - textX - margin;

export function labelSvg(label: Label): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${drawing(label)}\n`;
}

/** A4, three labels a row, nine rows a page; the browser prints it. No script. */
export function labelSheet(labels: readonly Label[], title: string): string {
  const cells = labels.map((label) => `<li>${drawing(label)}</li>`).join('\n');
  return `<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<title>${escaped(title)}</title>
<style>
@page { size: A4 portrait; margin: 10mm; }
html { background: #fff; color: #000; }
body { margin: 0; }
ul { display: grid; grid-template-columns: repeat(3, ${width}mm); gap: 1mm 2mm; margin: 0; padding: 0; list-style: none; }
li { break-inside: avoid; width: ${width}mm; height: ${height}mm; outline: 0.1mm dashed #999; }
svg { display: block; width: ${width}mm; height: ${height}mm; }
</style>
</head>
<body>
<ul>
${cells}
</ul>
</body>
</html>
`;
}

function drawing({ name, number, campus, device, url }: Label): string {
  const lines = [
    { text: name.zh, size: 4.4, y: 7, weight: 700 },
    { text: name.en, size: 2.8, y: 11.2, weight: 400 },
    { text: number === '' ? device : number, size: 3.4, y: 17.2, weight: 700 },
    ...(number === '' ? [] : [{ text: device, size: 2.4, y: 21, weight: 400 }]),
    { text: campus.zh, size: 2.6, y: 26, weight: 400 },
  ];
  const texts = lines.map(({ text, size, y, weight }) => {
    const fitted = Math.min(size, textWidth / Math.max(1, emsOf(text)));
    return `<text x="${textX}" y="${y}" font-size="${fitted.toFixed(2)}" font-weight="${weight}">${escaped(text)}</text>`;
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}mm" height="${height}mm" viewBox="0 0 ${width} ${height}" ` +
    `font-family="'Noto Sans SC','Microsoft YaHei','PingFang SC','WenQuanYi Micro Hei',sans-serif">` +
    `<rect width="${width}" height="${height}" fill="#fff"/><path fill="#000" d="${codePath(url)}"/>${texts.join('')}</svg>`
  );
}

/** One square a dark module, in millimetres; the margin is the quiet zone together with the label's edge. */
function codePath(url: string): string {
  const { data, size } = encode(url, { ecc: 'M', border: 1 });
  const module = code / size;
  const at = (n: number) => Number((margin + n * module).toFixed(3));
  const side = Number(module.toFixed(3));
  let path = '';
  data.forEach((row, y) => {
    for (let x = 0; x < row.length; x++) {
      if (!row[x]) continue;
      let end = x;
      while (row[end + 1]) end++;
      path += `M${at(x)} ${at(y)}h${Number((module * (end - x + 1)).toFixed(3))}v${side}H${at(x)}z`;
      x = end;
    }
  });
  return path;
}

/** About how wide a text is, in its own height: a Chinese character is as wide as high. */
function emsOf(text: string): number {
  let ems = 0;
  for (const letter of text) ems += letter < '\u0300' ? 0.6 : 1;
  return ems;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Also without what XML cannot hold at all. */
function escaped(text: string): string {
  const printable = text.replaceAll(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, ' ');
  return printable.replaceAll(/[&<>"']/g, (letter) => entities[letter] ?? '');
}
