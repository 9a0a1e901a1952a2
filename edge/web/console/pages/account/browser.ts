const browsers: readonly (readonly [RegExp, string])[] = [
  [/MicroMessenger/, 'WeChat'],
  [/DingTalk/, 'DingTalk'],
  [/Edg\//, 'Edge'],
  [/Firefox\//, 'Firefox'],
  [/Chrom(?:e|ium)\//, 'Chrome'],
  [/Safari\//, 'Safari'],
];
const systems: readonly (readonly [RegExp, string])[] = [
  [/HarmonyOS|OpenHarmony/, 'HarmonyOS'],
  [/Android/, 'Android'],
  [/iPhone|iPad/, 'iOS'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/Linux/, 'Linux'],
];

/** `Chrome · Windows`: enough to know one's own browser again. What nobody knows is shown as it came. */
export function browserOf(agent: string): string {
  const first = (table: typeof browsers) => table.find(([pattern]) => pattern.test(agent))?.[1];
  const found = [first(browsers), first(systems)].filter((name) => name !== undefined);
  return found.length > 0 ? found.join(' · ') : agent.slice(0, 60);
}
