import type { Medium, SubItem } from '#edge/domain/energy.ts';
import { defineWords } from '../../kit/words.ts';

/** What the figures of energy are called, as those who run a school's buildings say it. */
export const termWords = defineWords({
  zh: {
    'medium:electricity': '电',
    'medium:water': '水',
    'medium:gas': '燃气',
    'medium:heat': '供热',
    'medium:cold': '供冷',
    'item:lighting_sockets': '照明插座',
    'item:air_conditioning': '空调',
    'item:motive_power': '动力',
    'item:special': '特殊用电',
    noItem: '未分项',
    unaccounted: '未计量差额',
    known: (share: string) => `已知 ${share}`,
    estimated: (amount: string) => `含估算 ${amount}`,
    unknown: '未知',
    more: (share: string) => `多 ${share}`,
    less: (share: string) => `少 ${share}`,
    same: '基本持平',
    money: (amount: string) => `${amount} 元`,
    otherMoney: (amount: string, currency: string) => `${amount}（${currency}）`,
    perDay: (money: string) => `每天约 ${money}`,
    perArea: (unit: string) => `${unit}/m²`,
    perHead: (unit: string) => `${unit}/人`,
  },
  en: {
    'medium:electricity': 'Electricity',
    'medium:water': 'Water',
    'medium:gas': 'Gas',
    'medium:heat': 'Heat',
    'medium:cold': 'Cooling',
    'item:lighting_sockets': 'Lighting and sockets',
    'item:air_conditioning': 'Air conditioning',
    'item:motive_power': 'Motive power',
    'item:special': 'Special uses',
    noItem: 'No sub-item',
    unaccounted: 'Unaccounted',
    known: (share: string) => `${share} known`,
    estimated: (amount: string) => `of which ${amount} estimated`,
    unknown: 'not known',
    more: (share: string) => `${share} more`,
    less: (share: string) => `${share} less`,
    same: 'about the same',
    money: (amount: string) => `${amount} CNY`,
    otherMoney: (amount: string, currency: string) => `${amount} ${currency}`,
    perDay: (money: string) => `about ${money} a day`,
    perArea: (unit: string) => `${unit}/m²`,
    perHead: (unit: string) => `${unit}/person`,
  },
});

export type Terms = (typeof termWords)['zh'];

export const mediumText = (terms: Terms, medium: Medium): string => terms[`medium:${medium}`];

/** null: a meter that belongs to none. */
export const subItemText = (terms: Terms, item: SubItem | null): string =>
  item === null ? terms.noItem : terms[`item:${item}`];
