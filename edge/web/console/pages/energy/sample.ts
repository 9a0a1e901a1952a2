import { defineWords } from '../../kit/words.ts';

const sampleZh = `energy:
  buildings:                      # 面积（m²）与人数：单位面积能耗、人均能耗
    teaching-building: {area: 4200, people: 560}
  meters:
    - {id: main, device: meter-main}
    - {id: canteen, device: meter-canteen, under: main, subItem: special}
    - {id: water, device: water-main, medium: water}
  tariffs:
    - name: {zh: 分时电价, en: Time of use}
      from: 2026-01-01
      price: 0.65                 # 元/kWh，平段
      demandPrice: 36             # 元/kW·月，基本电费
  demand:
    - {meter: main, limit: 42, tiers: []}   # 需量限额，kW`;

const sampleEn = `energy:
  buildings:                      # m2 and people, for the figures per m2 and per person
    teaching-building: {area: 4200, people: 560}
  meters:
    - {id: main, device: meter-main}
    - {id: canteen, device: meter-canteen, under: main, subItem: special}
    - {id: water, device: water-main, medium: water}
  tariffs:
    - name: {zh: Tariff, en: Time of use}
      from: 2026-01-01
      price: 0.65                 # per kWh
      demandPrice: 36             # per kW and month
  demand:
    - {meter: main, limit: 42, tiers: []}   # limit of the demand, kW`;

/** How a section `energy` of the site file begins. */
export const energySample = defineWords({ zh: { text: sampleZh }, en: { text: sampleEn } });
