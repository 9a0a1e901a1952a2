import type { CampusEvent } from '#edge/domain/event.ts';
import type { Incident } from '#edge/domain/incident.ts';
import type { Name } from '#edge/domain/place.ts';
import type { FootageRange } from '#edge/domain/recording.ts';

/*
 * The page of a case that people read: no script, nothing from elsewhere, in both languages, so that it opens on any machine in twenty
 * years. What people and devices said is escaped.
 */

export interface TimelineFootage extends FootageRange {
  readonly camera: string;
  /** Within the case. */
  readonly path: string;
  readonly gaps: readonly FootageRange[];
  readonly isMasked: boolean;
}

export interface TimelinePicture {
  readonly event: string;
  readonly path: string;
}

export interface Timeline {
  readonly id: string;
  readonly campus: Name & { readonly id: string };
  readonly made: { readonly time: number; readonly name: string; readonly why: string };
  readonly incident: Incident;
  /** Oldest first. */
  readonly events: readonly CampusEvent[];
  readonly footage: readonly TimelineFootage[];
  readonly pictures: readonly TimelinePicture[];
  readonly missing: readonly { readonly what: string; readonly why: string }[];
  readonly nameOf: (device: string) => Name;
  readonly zone: Name | null;
  /** `2026-11-22T08:20:30.123+08:00` */
  readonly iso: (time: number) => string;
}

const words: Readonly<Record<string, string>> = {
  opened: '发生 opened',
  grew: '增加 grew',
  seen: '已查看 seen',
  claimed: '认领 claimed',
  released: '交还 released',
  noted: '备注 note',
  escalated: '升级 escalated',
  resolved: '结束 resolved',
  reopened: '重新打开 reopened',
  merged: '合并 merged',
  bookmarked: '标记录像 bookmarked',
  exported: '导出 exported',
  critical: '紧急 critical',
  high: '重要 high',
  medium: '一般 medium',
  low: '提示 low',
  handled: '已处置 handled',
  'false-alarm': '误报 false alarm',
  test: '测试 test',
  police: '移交公安 police',
  'handed-over': '已移交 handed over',
  'no-action': '无需处置 no action',
  new: '未处置 new',
};

export function timelineHtml(timeline: Timeline): string {
  const { campus, id, incident } = timeline;
  return `<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(`${campus.zh} ${incident.id}`)}</title>
<style>
body { font: 15px/1.5 system-ui, "Microsoft YaHei", "Noto Sans SC", sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em; color: #111; }
table { border-collapse: collapse; width: 100%; margin: 0.5em 0 2em; }
th, td { border: 1px solid #bbb; padding: 0.3em 0.6em; text-align: left; vertical-align: top; }
th { background: #eee; }
td.time { white-space: nowrap; font-variant-numeric: tabular-nums; }
video, img { max-width: 100%; height: auto; }
img { max-height: 12em; }
figure { margin: 0 0 1.5em; }
.missing { border-left: 4px solid #b00; padding-left: 1em; }
</style>
</head>
<body>
<h1>事件证据 <span lang="en">Case of an incident</span></h1>
${aboutTable(timeline)}
${missingPart(timeline)}
<h2>经过 <span lang="en">Course</span></h2>
${courseTable(timeline)}
<h2>记录 <span lang="en">What was recorded</span></h2>
${eventTable(timeline)}
<h2>录像 <span lang="en">Footage</span></h2>
${footagePart(timeline)}
<p><small>案卷 <span lang="en">case</span> ${escaped(id)}。校验 <span lang="en">verify</span>: <code>campus case verify &lt;zip&gt;</code></small></p>
</body>
</html>
`;
}

function aboutTable({ campus, made, incident, zone, iso }: Timeline): string {
  const { class: severity, state, outcome, note, from, to, count, types } = incident;
  const rows: readonly (readonly [string, string])[] = [
    ['学校 Campus', `${campus.zh} ${campus.en} (${campus.id})`],
    ['事件 Incident', incident.id],
    ['地点 Place', zone === null ? '' : `${zone.zh} ${zone.en}`],
    ['级别 Class', said(severity)],
    ['时间 Time', `${iso(from)} – ${iso(to)}`],
    ['类型 Types', `${types.join(', ')} (${count})`],
    ['结果 Outcome', [said(outcome ?? state), note].filter((text) => text !== '').join(': ')],
    ['导出 Exported', `${iso(made.time)}, ${made.name}: ${made.why}`],
  ];
  return table(rows.map(([name, value]) => `<tr><th>${escaped(name)}</th><td>${escaped(value)}</td></tr>`));
}

function missingPart({ missing }: Timeline): string {
  if (missing.length === 0) return '';
  const lines = missing.map(({ what, why }) => `<li>${escaped(what)}: ${escaped(why)}</li>`).join('\n');
  return `<div class="missing"><h2>缺失 <span lang="en">Missing</span></h2><ul>${lines}</ul></div>`;
}

function courseTable({ incident, iso }: Timeline): string {
  const rows = incident.course.map(
    ({ time, name, who, what, text }) =>
      `<tr><td class="time">${escaped(iso(time))}</td><td>${escaped(said(what))}</td><td>${escaped(name === '' ? who : name)}</td><td>${escaped(text)}</td></tr>`,
  );
  return table(['<tr><th>时间 Time</th><th>动作 What</th><th>谁 Who</th><th>说明 Words</th></tr>', ...rows]);
}

function eventTable({ events, pictures, nameOf, iso }: Timeline): string {
  const shown = new Map(pictures.map(({ event, path }) => [event, path]));
  const rows = events.map(({ id, time, type, active, device }) => {
    const name = device === undefined ? { zh: '', en: '' } : nameOf(device);
    const path = shown.get(id);
    const picture = path === undefined ? '' : `<img loading="lazy" alt="${escaped(type)}" src="${escaped(path)}">`;
    const what = active === false ? `${type} (结束 over)` : type;
    return `<tr><td class="time">${escaped(iso(time))}</td><td>${escaped(what)}</td><td>${escaped(`${name.zh} ${name.en}`)}</td><td>${picture}</td></tr>`;
  });
  return table(['<tr><th>时间 Time</th><th>类型 Type</th><th>设备 Device</th><th>图片 Picture</th></tr>', ...rows]);
}

function footagePart({ footage, nameOf, iso }: Timeline): string {
  if (footage.length === 0) return '<p>无 <span lang="en">none</span></p>';
  return footage
    .map(({ camera, path, from, to, gaps, isMasked }) => {
      const name = nameOf(camera);
      const notes = [
        ...(isMasked ? ['已遮挡隐私区域 masked'] : []),
        ...gaps.map((gap) => `无录像 no footage ${iso(gap.from)} – ${iso(gap.to)}`),
      ];
      const caption = `${name.zh} ${name.en}: ${iso(from)} – ${iso(to)}${notes.map((text) => `; ${text}`).join('')}`;
      return `<figure><video controls preload="none" src="${escaped(path)}"></video><figcaption>${escaped(caption)} (<a href="${escaped(path)}">${escaped(path)}</a>)</figcaption></figure>`;
    })
    .join('\n');
}

function table(rows: readonly string[]): string {
  return `<table>\n${rows.join('\n')}\n</table>`;
}

function said(word: string): string {
  return Object.hasOwn(words, word) ? (words[word] ?? word) : word;
}

function escaped(text: string): string {
  const marks: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  // What turns the order of writing round makes a line say something else; timeline.json has it as it was written.
  return text
    .replaceAll(/(?![\t\n])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
    .replaceAll(/[&<>"']/g, (mark) => marks[mark] ?? mark);
}
