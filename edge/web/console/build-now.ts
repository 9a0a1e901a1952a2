import { buildAndSay } from './build.ts';

/* `npm run build:console`. A file of its own: the launcher imports it where its Node is good enough, and then nothing is "main". */

await buildAndSay();
