import type { Name } from '#edge/domain/place.ts';

/* Long because it is a table: the usual quantities in both languages, so that a profile need not repeat them. */
const usual: Readonly<Record<string, Name>> = {
  voltage: { zh: '电压', en: 'Voltage' },
  current: { zh: '电流', en: 'Current' },
  power: { zh: '有功功率', en: 'Power' },
  power_demand: { zh: '需量', en: 'Power demand' },
  apparent_power: { zh: '视在功率', en: 'Apparent power' },
  reactive_power: { zh: '无功功率', en: 'Reactive power' },
  power_factor: { zh: '功率因数', en: 'Power factor' },
  frequency: { zh: '频率', en: 'Frequency' },
  energy: { zh: '电能', en: 'Energy' },
  energy_import: { zh: '正向电能', en: 'Energy imported' },
  energy_export: { zh: '反向电能', en: 'Energy exported' },
  energy_total: { zh: '总电能', en: 'Total energy' },
  energy_yield_total: { zh: '累计发电量', en: 'Energy yield, total' },
  serial: { zh: '表号', en: 'Serial number' },
  power_demand_max: { zh: '最大需量', en: 'Largest power demand' },
  relay: { zh: '继电器', en: 'Relay' },
  temperature: { zh: '温度', en: 'Temperature' },
  humidity: { zh: '湿度', en: 'Humidity' },
  co2: { zh: '二氧化碳', en: 'CO₂' },
  illuminance: { zh: '照度', en: 'Illuminance' },
  occupancy: { zh: '有人', en: 'Occupancy' },
  smoke: { zh: '烟雾', en: 'Smoke' },
  contact: { zh: '门磁', en: 'Contact' },
  battery: { zh: '电池', en: 'Battery' },
  online: { zh: '在线', en: 'Online' },
  motion: { zh: '移动', en: 'Motion' },
  uptime: { zh: '运行时间', en: 'Up for' },
  reachable: { zh: '可达', en: 'Reachable' },
  latency: { zh: '时延', en: 'Latency' },
  loss: { zh: '丢包率', en: 'Loss' },
  link: { zh: '端口状态', en: 'Link' },
  traffic_in: { zh: '流入', en: 'Traffic in' },
  traffic_out: { zh: '流出', en: 'Traffic out' },
  poe: { zh: 'PoE 供电', en: 'PoE' },
  poe_status: { zh: 'PoE 状态', en: 'PoE status' },
  poe_class: { zh: 'PoE 等级', en: 'PoE class' },
  poe_power: { zh: 'PoE 总功率', en: 'PoE power' },
  poe_budget: { zh: 'PoE 功率上限', en: 'PoE budget' },
};

/** A label for a value whose profile gives none: the usual word, or its name in plain letters. */
export function usualLabel(value: string): Name {
  if (Object.hasOwn(usual, value)) return usual[value] ?? { zh: value, en: value };
  const words = value.replaceAll('_', ' ');
  return { zh: words, en: words.charAt(0).toUpperCase() + words.slice(1) };
}
