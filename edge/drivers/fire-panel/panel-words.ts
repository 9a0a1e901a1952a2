/** What a panel says happened. `cleared`: a fault is over, a part is in use again. */
export const panelEvents = [
  'fire',
  'reset',
  'fault',
  'cleared',
  'disabled',
  'supervisory',
  'started',
  'other',
] as const;
export type PanelEvent = (typeof panelEvents)[number];

/** Words of a maker beside the usual ones. */
export type PanelWords = { readonly [event in PanelEvent]?: readonly string[] | undefined };

/**
 * The usual words of Chinese panels (GB 4717 names these states) and of English ones; the first that fits decides. What is over, or is
 * only a test or a pre-alarm, is no fire; whatever else has 火警 in it is one, however it is prefixed (首次火警, 手动火警).
 */
const usual: readonly (readonly [PanelEvent, RegExp])[] = [
  [
    'cleared',
    /(?:火警|故障|屏蔽|隔离|监管|反馈|启动).{0,4}(?:恢复|撤[消销除]|消除|解除|取消|停止)|(?:恢复|解除|取消).{0,4}(?:屏蔽|隔离)/,
  ],
  ['other', /测试|模拟|预警|\bTEST\b/i],
  ['fire', /火警|火灾报警|\bFIRE\b/i],
  ['reset', /复位|\bRESET\b/i],
  ['fault', /故障|\b(?:FAULT|TROUBLE)\b/i],
  ['disabled', /屏蔽|隔离|\b(?:DISABLED?|ISOLATED?)\b/i],
  ['supervisory', /监管|\bSUPERVISORY\b/i],
  ['started', /启动|反馈|\b(?:STARTED|ACTIVATED)\b/i],
];

/** null: the line says nothing of what happened (a place, the kind of a detector). */
export function eventOf(line: string, words: PanelWords): PanelEvent | null {
  for (const event of panelEvents) if ((words[event] ?? []).some((word) => line.includes(word))) return event;
  return usual.find(([, pattern]) => pattern.test(line))?.[0] ?? null;
}
