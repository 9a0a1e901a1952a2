import { open, start } from '../fixtures/store/site.ts';

/* Appends audit lines until it is killed; a dot to stdout for each that was acknowledged. Usage: node core-audit-appender.ts <folder> */
const [, , folder = ''] = process.argv;
const store = await open(folder);
const lane = async () => {
  for (let n = 0; ; n++) {
    const line = {
      time: start + n,
      who: 'person:lin',
      from: '::1',
      what: `request relay-1/r=${n}`,
      why: 'w',
      result: 'r',
    };
    await store.append({ audit: [line] });
    process.stdout.write('.');
  }
};
await Promise.all([lane(), lane(), lane()]);
