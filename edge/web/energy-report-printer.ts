import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import type { PdfWish } from './energy-report-pdf.ts';
import type { SheetOptions } from './energy-report-sheet.ts';
import type { Language } from './history-csv.ts';

const mostAtOnce = 2;
const patience = 30_000;
const heapMb = 256;

/** Of the project's own dependency, wherever it is installed. */
function fontFile(weight: 'Regular' | 'Bold'): string {
  return fileURLToPath(new URL(`../fonts/NotoSansHans-${weight}.otf`, import.meta.resolve('@embedpdf/fonts-sc')));
}

/** A sheet of paper whose thread reads its fonts while its report is still being added up. Dispose of it in any case. */
export interface Drawing extends AsyncDisposable {
  /** Throws TIMEOUT after 30 s, PDF_FAILED. */
  draw(wish: Omit<PdfWish, 'language'>): Promise<Buffer>;
}

/** Reports as PDF, each drawn in a thread of its own. */
export interface Printer extends AsyncDisposable {
  /** Throws TOO_MANY_REQUESTS while two are. */
  begin(language: Language): Drawing;
}

export function createPrinter(options: { readonly patience?: number } = {}): Printer {
  const running = new Set<Drawing>();
  return {
    begin: (language) => {
      if (running.size >= mostAtOnce) {
        throw new CodedError(
          'TOO_MANY_REQUESTS',
          `${mostAtOnce} reports are being drawn already: wait until one is done`,
        );
      }
      const drawing = beginDrawing(language, options.patience ?? patience, () => running.delete(drawing));
      running.add(drawing);
      return drawing;
    },
    [Symbol.asyncDispose]: async () => void (await Promise.all([...running].map((one) => one[Symbol.asyncDispose]()))),
  };
}

function beginDrawing(language: Language, limit: number, ended: () => void): Drawing {
  const fonts = { regular: fontFile('Regular'), bold: fontFile('Bold') };
  const worker = new Worker(new URL('./energy-report-pdf-thread.ts', import.meta.url), {
    name: 'energy report',
    workerData: { fonts, language } satisfies SheetOptions,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
  });
  const ending = new AbortController();
  const fail = (why: string) => ending.abort(new CodedError('PDF_FAILED', `the report could not be drawn: ${why}`));
  worker.once('error', (error) => fail(messageOf(error)));
  worker.once('exit', (code) => fail(`its thread ended with code ${code}`));
  return {
    draw: (wish) => drawn(worker, { ...wish, language }, limit, ending.signal),
    [Symbol.asyncDispose]: async () => {
      ended();
      await worker.terminate();
    },
  };
}

function drawn(worker: Worker, wish: PdfWish, limit: number, ended: AbortSignal): Promise<Buffer> {
  return new Promise<Buffer>((resolve, reject) => {
    const late = setTimeout(() => {
      reject(new CodedError('TIMEOUT', `the report was not drawn within ${limit / 1_000} s: ask again`));
    }, limit);
    const fail = () => {
      clearTimeout(late);
      reject(ended.reason);
    };
    if (ended.aborted) return fail();
    ended.addEventListener('abort', fail, { once: true });
    worker.once('message', (bytes: Uint8Array) => {
      clearTimeout(late);
      resolve(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    });
    worker.postMessage(wish);
  });
}
