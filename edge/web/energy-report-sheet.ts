import PDFDocument from 'pdfkit';
import { shownText } from './energy-report-words.ts';
import type { Language } from './history-csv.ts';

/* Paper: where the pen is, and the few things a report is drawn of. Lengths in points (1/72 inch), A4. */

export const ink = {
  text: '#16202b',
  soft: '#55616e',
  line: '#dce1e6',
  faint: '#f2f4f6',
  accent: '#0b6e63',
  light: '#9cccc5',
  usual: '#a35200',
  warn: '#a35200',
} as const;
export type Ink = (typeof ink)[keyof typeof ink];

export const paper = { width: 595.28, height: 841.89, left: 42, right: 42, top: 44, bottom: 58 } as const;
export const inner = paper.width - paper.left - paper.right;
const foot = paper.height - paper.bottom;

export interface TextOptions {
  readonly x: number;
  readonly y: number;
  readonly size?: number;
  readonly bold?: boolean;
  readonly color?: Ink;
  readonly width?: number;
  readonly align?: 'left' | 'right' | 'center';
}

export interface Column {
  readonly title: string;
  /** Share of the width. */
  readonly width: number;
  readonly align?: 'left' | 'right';
}

export interface TableRow {
  readonly cells: readonly string[];
  /** Of the first cell, levels. */
  readonly depth?: number;
  readonly bold?: boolean;
}

export interface SheetOptions {
  /** Paths of font files. */
  readonly fonts: { readonly regular: string; readonly bold: string };
  readonly language: Language;
}

/** No line of a page has room for more, and no paragraph is worth more; measuring a name of 10,000 letters takes a second. */
const longestLine = 300;
const longestParagraph = 2_000;

/** One document. */
export class Sheet {
  readonly doc: PDFKit.PDFDocument;
  y: number = paper.top;

  constructor({ fonts, language }: SheetOptions) {
    this.doc = new PDFDocument({
      size: 'A4',
      // Nothing flows by itself: pages are turned here.
      margin: 0,
      bufferPages: true,
      lang: language === 'zh' ? 'zh-CN' : 'en',
      // A font that is opened by its path and again by its name is read from the disk at each word (pdfkit 0.20).
      font: '',
    });
    this.doc.registerFont('regular', fonts.regular);
    this.doc.registerFont('bold', fonts.bold);
    // They are read now: what they are for may be a moment away.
    for (const font of ['bold', 'regular']) this.doc.font(font).widthOfString('校 Ab 1');
  }

  /** What a reader of PDF says of the file. */
  about({ title, author, made }: { readonly title: string; readonly author: string; readonly made: Date }): void {
    Object.assign(this.doc.info, { Title: shownText(title, longestLine), Author: author, CreationDate: made });
  }

  /** One line, cut with … where it does not fit. */
  text(said: string, { x, y, size = 9, bold = false, color = ink.text, width, align = 'left' }: TextOptions): void {
    const { doc } = this;
    doc
      .font(bold ? 'bold' : 'regular')
      .fontSize(size)
      .fillColor(color);
    const line = shownText(said, longestLine);
    const shown = width === undefined ? line : this.fit(line, width);
    const left =
      width === undefined || align === 'left'
        ? x
        : x + (width - doc.widthOfString(shown)) / (align === 'center' ? 2 : 1);
    doc.text(shown, left, y, { lineBreak: false });
  }

  /** With the font as it is set. */
  fit(said: string, width: number): string {
    const { doc } = this;
    if (doc.widthOfString(said) <= width) return said;
    const letters = [...said];
    let [low, high] = [0, letters.length];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (doc.widthOfString(`${letters.slice(0, middle).join('')}…`) <= width) low = middle;
      else high = middle - 1;
    }
    return `${letters.slice(0, low).join('').trimEnd()}…`;
  }

  /** Several lines from the pen down; moves it. Text longer than a page is not for paper. */
  paragraph(
    said: string,
    { x = paper.left as number, width = inner, size = 8.5, color = ink.soft as Ink, bold = false } = {},
  ): void {
    const { doc } = this;
    const shown = shownText(said, longestParagraph);
    doc.font(bold ? 'bold' : 'regular').fontSize(size);
    const height = doc.heightOfString(shown, { width, lineGap: 2 });
    this.room(height);
    doc
      .font(bold ? 'bold' : 'regular')
      .fontSize(size)
      .fillColor(color);
    doc.text(shown, x, this.y, { width, lineGap: 2, height: height + 2 });
    this.y += height + 3;
  }

  /** Of paragraphs as they are without further wishes. */
  heightOf(paragraphs: readonly string[]): number {
    this.doc.font('regular').fontSize(8.5);
    const heights = paragraphs.map((said) =>
      this.doc.heightOfString(shownText(said, longestParagraph), { width: inner, lineGap: 2 }),
    );
    return heights.reduce((sum, height) => sum + height + 3, 0);
  }

  /** Turns the page unless so much is left of it. */
  room(height: number): void {
    if (this.y + height <= foot) return;
    this.doc.addPage();
    this.y = paper.top;
  }

  line(y: number, color: Ink = ink.line, from: number = paper.left, to: number = paper.width - paper.right): void {
    this.doc.moveTo(from, y).lineTo(to, y).lineWidth(0.6).strokeColor(color).stroke();
  }

  box(x: number, y: number, width: number, height: number, color: Ink): void {
    if (width <= 0 || height <= 0) return;
    this.doc.rect(x, y, width, height).fillColor(color).fill();
  }

  /** A title with some of what comes after it on the same page. */
  heading(said: string, follows = 60): void {
    this.room(30 + follows);
    this.y += 8;
    this.box(paper.left, this.y + 2.5, 3, 11, ink.accent);
    this.text(said, { x: paper.left + 9, y: this.y, size: 12, bold: true });
    this.y += 22;
  }

  /** A smaller one, at a place. */
  caption(said: string, x: number, y: number, width: number): void {
    this.text(said, { x, y, size: 9, bold: true, color: ink.soft, width });
  }

  /** Its head is drawn again on each page. */
  table(columns: readonly Column[], rows: readonly TableRow[]): void {
    const height = 16.5;
    const head = () => {
      this.cells(
        columns,
        columns.map(({ title }) => title),
        { color: ink.soft, size: 8 },
      );
      this.y += 14;
      this.line(this.y - 1, ink.soft);
      this.y += 2;
    };
    this.room(height * Math.min(3, rows.length) + 18);
    head();
    for (const { cells, depth = 0, bold = false } of rows) {
      if (this.y + height > foot) {
        this.room(height * 2 + 18);
        head();
      }
      this.cells(columns, cells, { depth, bold });
      this.y += height;
      this.line(this.y - 3);
    }
    this.y += 6;
  }

  private cells(
    columns: readonly Column[],
    cells: readonly string[],
    { depth = 0, ...style }: { depth?: number; bold?: boolean; color?: Ink; size?: number },
  ): void {
    let x: number = paper.left;
    columns.forEach(({ width: share, align = 'left' }, i) => {
      const width = share * inner;
      const isRight = align === 'right';
      const indent = isRight ? 6 : i === 0 ? Math.min(depth, 6) * 11 : 0;
      const room = width - indent - (isRight ? 0 : 6);
      this.text(cells[i] ?? '', { x: x + indent, y: this.y, size: 8.5, ...style, width: room, align });
      x += width;
    });
  }

  /** Page numbers at the foot of all pages, and what stands beside them. */
  footers(left: string, pageOf: (page: number, pages: number) => string): void {
    const { start, count } = this.doc.bufferedPageRange();
    for (let i = 0; i < count; i++) {
      this.doc.switchToPage(start + i);
      const y = paper.height - 36;
      this.line(y - 6);
      this.text(left, { x: paper.left, y, size: 7.5, color: ink.soft, width: inner * 0.75 });
      this.text(pageOf(i + 1, count), {
        x: paper.left + inner * 0.75,
        y,
        size: 7.5,
        color: ink.soft,
        width: inner * 0.25,
        align: 'right',
      });
    }
  }

  /** The file. */
  async bytes(): Promise<Buffer> {
    const parts: Buffer[] = [];
    const done = new Promise<void>((resolve, reject) => {
      this.doc.on('data', (part: Buffer) => parts.push(part));
      this.doc.on('end', resolve);
      this.doc.on('error', reject);
    });
    this.doc.end();
    await done;
    return Buffer.concat(parts);
  }
}
