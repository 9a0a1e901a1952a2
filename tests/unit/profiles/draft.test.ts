import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Given, type Terminal } from '#edge/cli/command.ts';
import { profileCommands, proveDraft } from '#edge/cli/profile.ts';
import { readRegisterList } from '#edge/cli/profile-csv.ts';
import { type DraftOptions, draftProfile } from '#edge/cli/profile-draft.ts';
import { checkProfile } from '#edge/profiles/check.ts';
import { loadProfile } from '#edge/profiles/load.ts';

const options: DraftOptions = {
  path: 'meter/demo-1',
  name: { zh: '演示', en: 'Demo' },
  base: 0,
  order: 'ABCD',
  source: 'demo.csv',
};
const draft = (csv: string, more: Partial<DraftOptions> = {}) =>
  draftProfile(readRegisterList(Buffer.from(csv)), { ...options, ...more });

describe('a profile from a list of registers', () => {
  it('takes names, addresses, types, units and scales as people write them', () => {
    const text = draft(
      'Name,Address,Data type,Unit,Scale,FC,Min,Max,R/W\nVoltage L1,0x61,UINT16,v,0.1,03,0,300,R\nPower,16AH,int32,kW,1/1000,3,,,R\nModel,200,string(4),,,3,,,R\nRelay,5,,,,1,,,R/W\n',
    );
    expect(text).toContain(
      'voltage_l1: { at: 97, as: u16, scale: 0.1, unit: "V", range: [0, 300], verified: one-source }',
    );
    expect(text).toContain('power: { at: 362, as: s32, scale: 0.001, unit: "kW", verified: one-source }');
    expect(text).toContain('model: { at: 200, as: str(4), verified: one-source }');
    expect(text).toContain('relay: { at: 5, fc: coil, verified: one-source, write: { fail_safe: keep } }');
    expect(() => proveDraft(text)).not.toThrow();
  });

  it('understands Chinese headings and names, also as Chinese spreadsheets write them (GBK)', () => {
    const rows =
      '名称,地址,数据类型,单位,倍率\nA相电压,97,无符号整型,V,0.1\n总有功功率,362,有符号长整型,kW,0.001\n风机档位,400,,,\n';
    const text = draft(rows.replace('有符号长整型', 'int32'));
    expect(text).toContain(
      'voltage_l1: { at: 97, as: u16, scale: 0.1, unit: "V", label: { zh: "A相电压", en: "A相电压" }',
    );
    expect(text).toContain('power: { at: 362, as: s32');
    expect(text).toContain('register_400: { at: 400, as: u16, label: { zh: "风机档位"');
    // 名称,地址 / 电压,1 in GB 18030.
    const gbk = Buffer.from('c3fbb3c62cb5d8d6b70ab5e7d1b92c310a', 'hex');
    expect(draftProfile(readRegisterList(gbk), options)).toContain('voltage: { at: 1, as: u16');
  });

  it('keeps what the list counts from', () => {
    expect(draft('name,address\na,1\n', { base: 1 })).toContain('base: 1 }');
    const text = draft('name;address;type\na;40001;float\nb;30011;u16\nc;00003;bit\n', { base: 40_001 });
    expect(text).toContain('a: { at: 0, as: f32');
    expect(text).toContain('b: { at: 10, fc: input');
    expect(text).toContain('c: { at: 2, fc: coil');
  });

  it.each([
    ['name,type\na,u16\n', 'row 1: no column is the address (such as address, addr, register, reg, 地址)'],
    ['name,address,unit\na,1,V\nb,two,V\n', 'row 3, column 2 (address): "two" is no address'],
    ['name,address,unit\na,1,furlong\n', 'row 2, column 3 (unit): unknown unit "furlong"'],
    ['名称,地址,类型\n电压,1,字典\n', 'row 2, column 3 (类型): unknown type "字典"'],
    ['name,address\na,1\na,2\n', 'row 3: "a" is the name in row 2 too'],
    ['name,address,scale\na,1,big\n', 'row 2, column 3 (scale): "big" is no number'],
    ['name,address\na,70000\n', 'row 2, column 2 (address): 70000 is not between 0 and 65535'],
    ['name,address,fc\na,1,7\n', 'row 2, column 3 (fc): "7" is no table'],
    ['name,address\n,1\n', 'row 2: has no name'],
    ['name,address\n', 'there is no register in it'],
    ['', 'is empty'],
    ['name,address,reg\na,1,2\n', 'row 1, column 3: "reg" means address once more'],
    ['name,address,type\na,1,string\n', 'how many registers has the text?'],
  ])('says where %j is wrong', (csv, message) => {
    expect(() => draft(csv)).toThrow(message);
  });

  it('names every cell that is wrong, not only the first', () => {
    expect(() => draft('name,address,unit\na,x,V\nb,2,furlong\n')).toThrow(/row 2, .*\nrow 3, /);
  });

  it('makes a file that lacks nothing but its vectors, and overwrites none', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'draft-'));
    const csv = join(folder, 'list.csv');
    await writeFile(
      csv,
      'name,address,type,unit,scale,colour\nvoltage,0,u16,V,0.1,red\nenergy_import,4,u32,kWh,0.01,\n',
    );
    const printed: string[] = [];
    const terminal: Terminal = {
      language: 'en',
      out: (line) => void printed.push(line),
      err: (line) => void printed.push(line),
      stdin: process.stdin,
    };
    const command = profileCommands.find(({ name }) => name === 'profile new');
    const run = () => command?.run(new Given([csv], { as: 'meter/demo-1', folder }, terminal));
    await run();
    expect(printed.join('\n')).toContain('columns that were left out: colour');
    await expect(loadProfile(folder, 'meter/demo-1')).rejects.toThrow(
      /not a valid profile:\ntest: is empty \(line \d+/,
    );
    await expect(run()).rejects.toThrow('EEXIST');
    const file = join(folder, 'meter/demo-1.yaml');
    const filled = (await readFile(file, 'utf8')).replace('  []', '  - { value: voltage, hex: "08 fe", is: 230.2 }');
    await writeFile(file, filled);
    expect(await checkProfile(folder, 'meter/demo-1')).toMatchObject({ passed: 1, failures: [] });
  });
});
