import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import type { PdfWish } from './energy-report-pdf.ts';

const mostAtOnce = 2;
const patience = 30_000;
const heapMb = 256;

/** Of the project's own dependency, wherever it is installed. */
function fontFile(weight: 'Regular' | 'Bold'): string {
  return fileURLToPath(new URL(`../fonts/NotoSansHans-${weight}.otf`, import.meta.resolve('@embedpdf/fonts-sc')));
}

export type PrintReport = (wish: Omit<PdfWish, 'fonts'>) => Promise<Buffer>;

/** Reports as PDF, each drawn in a thread of its own. Throws TOO_MANY_REQUESTS while two are, TIMEOUT after 30 s, PDF_FAILED. */
export function createPrinter(options: { readonly patience?: number } = {}): PrintReport & AsyncDisposable {
  const running = new Set<Worker>();
  let begun = 0;
  const print: PrintReport = async (wish) => {
    if (begun >= mostAtOnce) {
      throw new CodedError(
        'TOO_MANY_REQUESTS',
        `${mostAtOnce} reports are being drawn already: wait until one is done`,
      );
    }
    begun++;
    try {
      const fonts = { regular: fontFile('Regular'), bold: fontFile('Bold') };
      return await draw({ ...wish, fonts }, options.patience ?? patience, running);
    } finally {
      begun--;
    }
  };
  return Object.assign(print, {
    [Symbol.asyncDispose]: async () => void (await Promise.all([...running].map((worker) => worker.terminate()))),
  });
}

function draw(wish: PdfWish, limit: number, running: Set<Worker>): Promise<Buffer> {
  const worker = new Worker(new URL('./energy-report-pdf-thread.ts', import.meta.url), {
    name: 'energy report',
    workerData: wish,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
  });
  running.add(worker);
  return new Promise<Buffer>((resolve, reject) => {
    const late = setTimeout(() => {
      reject(new CodedError('TIMEOUT', `the report was not drawn within ${limit / 1_000} s: ask again`));
      void worker.terminate();
    }, limit);
    const fail = (why: string) => reject(new CodedError('PDF_FAILED', `the report could not be drawn: ${why}`));
    worker.once('message', (bytes: Uint8Array) => resolve(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)));
    worker.once('error', (error) => fail(messageOf(error)));
    worker.once('exit', (code) => {
      clearTimeout(late);
      running.delete(worker);
      fail(`its thread ended with code ${code}`);
    });
  });
}
