import { parentPort, workerData } from 'node:worker_threads';
import { drawReport, type PdfWish } from './energy-report-pdf.ts';
import { Sheet, type SheetOptions } from './energy-report-sheet.ts';

/*
 * Draws one report and ends: two Chinese fonts cost half a second of work and tens of megabytes, which go with the thread. They are read
 * while the report is still being added up.
 */

const sheet = new Sheet(workerData as SheetOptions);
parentPort?.once('message', async (wish: PdfWish) => {
  const bytes = await drawReport(sheet, wish);
  parentPort?.postMessage(new Uint8Array(bytes));
});
