import type { Name } from '#edge/domain/place.ts';
import type { SchoolPower, SchoolReason } from '#edge/domain/school.ts';

/* Why a circuit is as it is, in words: what the hold says, and so what the console says of the output. */

/** So many slots are named; a day of lessons is a long list. */
const mostNamed = 3;

/** `clock`: ms since epoch as the wall clock shows it, `08:30`. */
export function whyPower(
  { name }: Pick<SchoolPower, 'name'>,
  why: readonly SchoolReason[],
  clock: (time: number) => string,
): string {
  const said = why.filter(({ code }) => code !== 'slot').map((reason) => phrase(reason, clock));
  const words = (language: 'zh' | 'en') =>
    [slotsOf(why, language), ...said.map((one) => one[language])].filter((text) => text !== '');
  return `${name.zh}：${words('zh').join('，')} / ${name.en}: ${words('en').join(', ')}`;
}

function slotsOf(why: readonly SchoolReason[], language: 'zh' | 'en'): string {
  const names = why.flatMap(({ code, params }) => (code === 'slot' ? [String(params?.[language] ?? '')] : []));
  const more = names.length > mostNamed ? (language === 'zh' ? '等' : ' and more') : '';
  return `${names.slice(0, mostNamed).join(language === 'zh' ? '、' : ', ')}${more}`;
}

function phrase({ code, params }: SchoolReason, clock: (time: number) => string): Name {
  const at = (key: string) => (typeof params?.[key] === 'number' ? clock(params[key]) : '');
  switch (code) {
    case 'time':
      return { zh: '每周定时', en: 'weekly times' };
    case 'occupied':
      return { zh: '有人', en: 'somebody is there' };
    case 'empty':
      return { zh: '无人', en: 'nobody is there' };
    case 'preparing':
      return { zh: `为 ${at('due')} 提前启动`, en: `made ready for ${at('due')}` };
    case 'setback':
      return { zh: '值守设定', en: 'set back' };
    case 'minimum-on':
      return { zh: `最短开启时间到 ${at('until')}`, en: `kept on until ${at('until')} at least` };
    case 'minimum-off':
      return { zh: `最短停止时间到 ${at('until')}`, en: `kept off until ${at('until')} at least` };
    case 'no-reading':
      return { zh: '传感器无读数', en: 'its sensor says nothing' };
    default:
      return { zh: '不在使用时段', en: 'not needed now' };
  }
}
