import type { Medium, SubItem } from '#edge/domain/energy.ts';
import type { Name } from '#edge/domain/place.ts';
import type { EnergyReportView } from './energy-schemas.ts';
import type { Language } from './history-csv.ts';

/* What a report says on paper and in tables, in both languages. */

const words = {
  day: { zh: '能源日报', en: 'Energy of the day' },
  week: { zh: '能源周报', en: 'Energy of the week' },
  month: { zh: '能源月报', en: 'Energy of the month' },
  electricity: { zh: '电', en: 'Electricity' },
  water: { zh: '水', en: 'Water' },
  gas: { zh: '燃气', en: 'Gas' },
  heat: { zh: '供热', en: 'Heat' },
  cold: { zh: '供冷', en: 'Cooling' },
  lighting_sockets: { zh: '照明插座', en: 'Lighting and sockets' },
  air_conditioning: { zh: '空调', en: 'Air conditioning' },
  motive_power: { zh: '动力', en: 'Motive power' },
  special: { zh: '特殊用电', en: 'Special uses' },
  noItem: { zh: '未分项', en: 'No sub-item' },
  runs: { zh: '进行中，统计至', en: 'still running; up to' },
  partial: {
    zh: '本报表只含您可见区域的表计，不是全校总量。',
    en: 'Only of the meters in your own zones: this is not the whole campus.',
  },
  made: { zh: '生成于', en: 'Made' },
  madeBy: { zh: '校园边缘平台', en: 'Campus Edge' },
  page: { zh: '第 {0} 页，共 {1} 页', en: 'Page {0} of {1}' },
  use: { zh: '用量', en: 'Used' },
  cost: { zh: '费用', en: 'Cost' },
  energyCost: { zh: '电量电费', en: 'Energy charge' },
  demandCharge: { zh: '基本电费（按需量）', en: 'Demand charge' },
  before: { zh: '上期同段', en: 'Period before' },
  usual: { zh: '同类日常值', en: 'Usual' },
  versusBefore: { zh: '较上期', en: 'against the period before' },
  versusUsual: { zh: '较常值', en: 'against what is usual' },
  same: { zh: '持平', en: 'the same' },
  completeness: { zh: '数据完整率', en: 'Known' },
  highest: { zh: '最大需量', en: 'Highest demand' },
  limit: { zh: '限值', en: 'Limit' },
  at: { zh: '出现时间', en: 'When' },
  course_day: { zh: '逐时用量', en: 'By the hour' },
  course_week: { zh: '逐日用量', en: 'By the day' },
  course_month: { zh: '逐日用量', en: 'By the day' },
  legendWhole: { zh: '用量', en: 'used' },
  legendPart: { zh: '数据不全', en: 'partly known' },
  legendUsual: { zh: '同类日常值', en: 'usual' },
  subItems: { zh: '分项', en: 'By sub-item' },
  buildings: { zh: '分建筑', en: 'By building' },
  meters: { zh: '分表', en: 'By meter' },
  meter: { zh: '表计', en: 'Meter' },
  share: { zh: '占比', en: 'Share' },
  known: { zh: '已知', en: 'Known' },
  periods: { zh: '分时费用', en: 'By price' },
  period: { zh: '时段', en: 'Price' },
  price: { zh: '单价', en: 'Unit price' },
  base: { zh: '基础负荷', en: 'Base load' },
  night: { zh: '夜间（0–5 时）', en: 'at night (0 to 5)' },
  weekend: { zh: '休息日白天', en: 'by day on days off' },
  baseShare: { zh: '约占总量', en: 'share of all' },
  unaccounted: { zh: '总分表差额', en: 'Main minus sub-meters' },
  tolerance: { zh: '计量误差与线损可解释', en: 'errors and losses explain' },
  demand: { zh: '需量与功率因数', en: 'Demand and power factor' },
  powerFactor: { zh: '功率因数', en: 'Power factor' },
  standard: { zh: '考核标准', en: 'Standard' },
  adjustment: { zh: '力调电费（估算）', en: 'Adjustment (estimate)' },
  findings: { zh: '需要关注', en: 'To look at' },
  noFindings: { zh: '本期没有发现异常。', en: 'Nothing odd was found in this period.' },
  perDay: { zh: '每天约 {0}', en: 'about {0} a day' },
  next: { zh: '先做', en: 'First' },
  gaps: { zh: '数据缺口', en: 'What is not known' },
  gapsNote: {
    zh: '缺口不作填补：用量只是已知部分之和；中断期间的用量在恢复通信后补记，按时间均摊并计入“估算”。',
    en: 'Gaps are not filled: amounts are sums of what is known. What was counted during a silence comes in when the meter is heard again, is spread evenly over it and called estimated.',
  },
  noGaps: { zh: '所有表计数据完整。', en: 'Every meter was heard all the time.' },
  estimated: { zh: '其中估算', en: 'of which estimated' },
  costNote: {
    zh: '费用按站点文件中的电价计算，供内部管理使用，结算以供能单位账单为准。',
    en: 'Costs are worked out from the tariffs of the site file, for use within the school; bills are made by the utilities.',
  },
  unknown: { zh: '未知', en: 'not known' },
  nothing: { zh: '还没有配置任何表计。', en: 'No meter is configured yet.' },
  total: { zh: '合计', en: 'Total' },
} as const satisfies Readonly<Record<string, Name>>;
export type Word = keyof typeof words;

export const wordOf = (language: Language, word: Word): string => words[word][language];
export const mediumWord = (language: Language, medium: Medium): string => words[medium][language];
export const subItemWord = (language: Language, item: SubItem | null): string => words[item ?? 'noItem'][language];

const monthsEn = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const weekdays = {
  zh: ['一', '二', '三', '四', '五', '六', '日'],
  en: ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'],
};

/** `weekday`: 1 = Monday, of the first day. */
export function periodWords(
  { kind, first, last }: Pick<EnergyReportView, 'kind' | 'first' | 'last'>,
  weekday: number,
  language: Language,
): string {
  const [from, to] = [partsOf(first), partsOf(last)];
  if (language === 'zh') {
    if (kind === 'month') return `${from.year} 年 ${from.month} 月`;
    const start = `${from.year} 年 ${from.month} 月 ${from.day} 日`;
    if (kind === 'day') return `${start} 星期${weekdays.zh[weekday - 1] ?? ''}`;
    return `${start} 至 ${to.year === from.year ? '' : `${to.year} 年 `}${to.month} 月 ${to.day} 日`;
  }
  const month = (of: typeof from) => monthsEn[of.month - 1] ?? '';
  if (kind === 'month') return `${month(from)} ${from.year}`;
  if (kind === 'day') return `${weekdays.en[weekday - 1] ?? ''}, ${from.day} ${month(from)} ${from.year}`;
  if (from.month === to.month) return `${from.day} to ${to.day} ${month(to)} ${to.year}`;
  const year = from.year === to.year ? '' : ` ${from.year}`;
  return `${from.day} ${month(from)}${year} to ${to.day} ${month(to)} ${to.year}`;
}

function partsOf(date: string): { readonly year: number; readonly month: number; readonly day: number } {
  const [year = 0, month = 1, day = 1] = date.split('-').map(Number);
  return { year, month, day };
}

/** `1,234`, `38.2`, `0.52`; `—` where it is not known. */
export function figure(value: number | null): string {
  if (value === null) return '—';
  const size = Math.abs(value);
  const digits = size >= 1_000 || size === 0 ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Of amounts per m2 and head, which may be small. */
export function fineFigure(value: number): string {
  return Math.abs(value) >= 0.1 ? figure(value) : String(Number(value.toPrecision(2)));
}

export function money(value: number | null, currency: string | null): string {
  if (value === null || currency === null) return '—';
  const text = value.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return currency === 'CNY' ? `¥${text}` : `${text} ${currency}`;
}

export function percent(share: number | null, digits = 1): string {
  return share === null ? '—' : `${(share * 100).toFixed(digits)}%`;
}

/** `+12.3%`; null: one of both is not known, or there is nothing to compare with. */
export function change(value: number | null, usual: number | null): string | null {
  if (value === null || usual === null || usual <= 0) return null;
  const share = value / usual - 1;
  return `${share >= 0 ? '+' : '−'}${(Math.abs(share) * 100).toFixed(1)}%`;
}

/**
 * What somebody named himself, as it may stand on paper and in a table: without what is not to be seen (control characters, and marks that
 * turn the text around them about), and cut where it has no end.
 */
export function shownText(said: string, longest: number): string {
  const seen = said.slice(0, longest).replace(unseen, ' ').trim();
  return said.length > longest ? `${seen}…` : seen;
}

const unseen = /[\p{Cc}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]+/gu;

export const unitWord = (unit: string): string => ({ 'kW.h': 'kWh', m3: 'm³' })[unit] ?? unit;
/** Of a mean power, or a flow. */
export const rateWord = (unit: string): string => (unit === 'm3' ? 'm³/h' : 'kW');
