import { parentPort, workerData } from 'node:worker_threads';
import { drawReport, type PdfWish } from './energy-report-pdf.ts';

/* Draws one report and ends: two Chinese fonts cost a second of work and tens of megabytes, which go with the thread. */

const bytes = await drawReport(workerData as PdfWish);
parentPort?.postMessage(new Uint8Array(bytes));
