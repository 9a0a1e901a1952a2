/** What the negative control uses of it: it has no types of its own. */
declare module 'node-schedule' {
  export function scheduleJob(
    rule: { readonly hour: number; readonly minute: number; readonly second: number; readonly tz: string },
    job: () => void,
  ): object;
}
