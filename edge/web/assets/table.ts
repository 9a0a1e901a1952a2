import { roleNames, roles } from '#edge/domain/access.ts';
import type { AssetView } from '../place-schemas.ts';
import type { Asset } from './register.ts';

/* The register of assets as a table of a spreadsheet: the same columns out and in. */

export type Language = 'zh' | 'en';
type Read = { readonly ok: true; readonly value: Partial<Asset> } | { readonly ok: false; readonly why: string };

interface Column {
  readonly zh: string;
  readonly en: string;
  readonly write: (asset: AssetView, language: Language) => string;
  /** Absent: told, and left out when it comes back. */
  readonly read?: (text: string) => Read;
}

type TextField = 'number' | 'make' | 'model' | 'serial' | 'place' | 'notes';

function words(field: TextField, most: number): Pick<Column, 'write' | 'read'> {
  return {
    write: (asset) => asset[field],
    read: (text) =>
      text.length > most ? mistake(`has ${text.length} characters, at most ${most} fit`) : given({ [field]: text }),
  };
}

function date(field: 'bought' | 'warranty'): Pick<Column, 'write' | 'read'> {
  return {
    write: (asset) => asset[field] ?? '',
    read: (text) => {
      if (text === '') return given({ [field]: null });
      const day = readDate(text);
      return day === null ? mistake(`"${clip(text)}" is no date: write 2026-09-01`) : given({ [field]: day });
    },
  };
}

const given = (value: Partial<Asset>): Read => ({ ok: true, value });
const mistake = (why: string): Read => ({ ok: false, why });
const clip = (text: string) => text.slice(0, 40);

/** The first column says which device a line is about. */
export const deviceColumn = { zh: '设备编号', en: 'Device' };

export const columns: readonly Column[] = [
  { ...deviceColumn, write: ({ device }) => device },
  { zh: '设备名称', en: 'Device name', write: ({ deviceName }, language) => deviceName[language] },
  { zh: '分区', en: 'Zone', write: ({ zone }) => zone },
  { zh: '资产编号', en: 'Asset number', ...words('number', 64) },
  { zh: '厂家', en: 'Make', ...words('make', 80) },
  { zh: '型号', en: 'Model', ...words('model', 80) },
  { zh: '序列号', en: 'Serial number', ...words('serial', 80) },
  { zh: '存放地点', en: 'Place', ...words('place', 120) },
  { zh: '购置日期', en: 'Bought', ...date('bought') },
  { zh: '保修至', en: 'Warranty until', ...date('warranty') },
  {
    zh: '维护周期（天）',
    en: 'Maintenance every (days)',
    write: ({ every }) => (every === null ? '' : String(every)),
    read: (text) => {
      if (text === '') return given({ every: null });
      const days = /^\d{1,4}$/.test(text) ? Number(text) : 0;
      return days >= 1 && days <= 3_650 ? given({ every: days }) : mistake('must be 1 to 3650 days, or empty');
    },
  },
  {
    zh: '负责角色',
    en: 'Responsible',
    write: ({ responsible }, language) => (responsible === null ? '' : roleNames[responsible][language]),
    read: (text) => {
      if (text === '') return given({ responsible: null });
      const lower = text.toLowerCase();
      const role = roles.find((one) => [one, roleNames[one].zh, roleNames[one].en.toLowerCase()].includes(lower));
      const all = roles.map((one) => roleNames[one].zh).join('、');
      return role === undefined ? mistake(`"${clip(text)}" is no role: ${all}`) : given({ responsible: role });
    },
  },
  { zh: '备注', en: 'Notes', ...words('notes', 2_000) },
  { zh: '上次维护', en: 'Last maintenance', write: ({ maintenance }) => maintenance[0]?.date ?? '' },
  { zh: '下次维护', en: 'Next maintenance', write: ({ due }) => due ?? '' },
];

export function headers(language: Language): string[] {
  return columns.map((column) => column[language]);
}

export function rowOf(asset: AssetView, language: Language): string[] {
  return columns.map((column) => column.write(asset, language));
}

/** By what stands in the header line, in either language. */
export function columnOf(header: string): Column | undefined {
  const wanted = header.trim().toLowerCase();
  return columns.find(({ zh, en }) => wanted === zh || wanted === en.toLowerCase());
}

/** 2026-09-01, and what spreadsheets make of it: 2026/9/1, 2026.9.1, 2026年9月1日. null: no such day. */
function readDate(text: string): string | null {
  const [, year = '', month = '', day = ''] = /^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?$/.exec(text) ?? [];
  const iso = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  const time = Date.parse(`${iso}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(iso) ? iso : null;
}
