import { crc32, deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { checkPng } from '#edge/web/plans/png.ts';
import { checkSvg } from '#edge/web/plans/svg.ts';

const svg = (inner: string, attributes = 'viewBox="0 0 200 100"') =>
  Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" ${attributes}>${inner}</svg>`);
const judge = (bytes: Buffer): string => {
  try {
    const { width, height } = checkSvg(bytes);
    return `${width}x${height}`;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'BAD_PICTURE') return error.message;
    throw error;
  }
};

describe('an SVG that draws is taken', () => {
  test('as drawing programs write it: layers, metadata, styles, gradients, symbols, Chinese text', () => {
    const text = `<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<!-- Created with Inkscape (http://www.inkscape.org/) -->
<svg width="297mm" height="210mm" viewBox="0 0 297 210" version="1.1" id="svg5"
   xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" xmlns:xlink="http://www.w3.org/1999/xlink"
   xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd" xmlns="http://www.w3.org/2000/svg"
   xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:cc="http://creativecommons.org/ns#"
   xmlns:dc="http://purl.org/dc/elements/1.1/" sodipodi:docname="教学楼(一层).svg">
  <sodipodi:namedview id="nv" pagecolor="#ffffff" inkscape:zoom="0.7" showgrid="false"/>
  <metadata><rdf:RDF><cc:Work rdf:about=""><dc:format>image/svg+xml</dc:format>
    <dc:type rdf:resource="http://purl.org/dc/dcmitype/StillImage"/></cc:Work></rdf:RDF></metadata>
  <style type="text/css"><![CDATA[ .wall{fill:none;stroke:#333;stroke-width:.5} .a:not(.b) > path {fill:url(#g1)} /* walls */ ]]></style>
  <defs id="defs2"><linearGradient id="g1" xlink:href="#g0" gradientTransform="matrix(1 0 0 1 0 0)"/>
    <linearGradient id="g0"><stop offset="0" style="stop-color:#fff;stop-opacity:1"/></linearGradient>
    <symbol id="门"><path d="M0 0h1"/></symbol></defs>
  <g inkscape:label="Rooms (1)" inkscape:groupmode="layer" id="layer1" transform="translate(3,4) rotate(90)" style="display:inline">
    <rect class="wall" x="1" y="2" width="30" height="40" fill="url(#g1)" stroke="rgb(1,2,3)"/>
    <use href="#门" x="3"/><use xlink:href="#门"/>
    <text x="1" y="1" font-family="SimSun, sans-serif" xml:space="preserve">101 &amp; 教室 &#x4E00;<tspan dx="1">&lt;script&gt;</tspan></text>
    <title>一层</title>
  </g>
</svg>
`;
    expect(judge(Buffer.from(text))).toBe('297x210');
  });

  test.each([
    ['width="800" height="600"', '800x600'],
    ['width="210mm" height=" 297mm "', '210x297'],
    ['viewBox="-10, -10 , 50 25"', '50x25'],
    ['viewBox="0 0 100000 50000"', '10000x5000'],
  ])('its size is what %s says', (attributes, size) => {
    expect(judge(svg('', attributes))).toBe(size);
  });
});

describe('a script is refused in every dress', () => {
  const href = 'xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9"';
  const dresses: readonly (readonly [string, Buffer, RegExp])[] = [
    ['an element', svg('\n<script>alert(1)</script>'), /line 2: <script>/],
    ['an element in capitals', svg('<SCRIPT>alert(1)</SCRIPT>'), /<SCRIPT>/],
    [
      'an element with a prefix',
      svg('<svg:script>1</svg:script>', 'xmlns:svg="http://www.w3.org/2000/svg" viewBox="0 0 9 9"'),
      /<svg:script>/,
    ],
    ['an element of XHTML by default namespace', svg('<g xmlns="http://www.w3.org/1999/xhtml"/>'), /xmlns/],
    [
      'an element of XHTML by prefix',
      svg('<rdf:script>1</rdf:script>', 'xmlns:rdf="http://www.w3.org/1999/xhtml" viewBox="0 0 9 9"'),
      /xmlns:rdf/,
    ],
    ['an event handler', svg('<rect onclick="alert(1)"/>'), /<rect onclick> is not allowed/],
    ['onload of the root', svg('', 'viewBox="0 0 9 9" onload="alert(1)"'), /<svg onload>/],
    ['an event handler in capitals', svg('<rect ONCLICK="alert(1)"/>'), /ONCLICK/],
    [
      'an event handler of an inert element',
      svg(
        '<metadata><rdf:RDF onload="1"/></metadata>',
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" viewBox="0 0 9 9"',
      ),
      /onload/,
    ],
    ['a link', svg('<a href="javascript:alert(1)"><rect/></a>'), /<a> is not allowed/],
    ['use of a javascript: address', svg('<use href="javascript:alert(1)"/>'), /same drawing/],
    ['use of an address spelled with references', svg('<use href="&#106;avascript&#x3a;alert(1)"/>'), /same drawing/],
    ['use of data:', svg(`<use xlink:href="data:image/svg+xml;base64,PHN2Zz4=#x"/>`, href), /same drawing/],
    ['use of another file', svg('<use xlink:href="other.svg#x"/>', href), /same drawing/],
    [
      'an address under a prefix with another meaning',
      svg('<use inkscape:href="#x"/>', 'xmlns:inkscape="http://www.w3.org/1999/xlink" viewBox="0 0 9 9"'),
      /xmlns:inkscape/,
    ],
    ['a picture', svg('<image href="data:image/png;base64,AAAA"/>'), /<image>/],
    [
      'foreign content',
      svg('<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>'),
      /<foreignObject>/,
    ],
    [
      'an animation that sets an address',
      svg('<use href="#a"><set attributeName="href" to="javascript:alert(1)"/></use>'),
      /<set>/,
    ],
    ['an animation', svg('<animate attributeName="href" values="javascript:alert(1)"/>'), /<animate>/],
    ['a frame', svg('<iframe src="javascript:alert(1)"/>'), /<iframe>/],
    ['a handler element', svg('<handler type="application/ecmascript">1</handler>'), /<handler>/],
    ['a filter picture', svg('<filter><feImage href="http://x/"/></filter>'), /<filter>/],
    ['a style that loads', svg('<rect style="fill:url(http://x/)"/>'), /url\(\.\.\.\)/],
    ['a style that loads from here', svg('<rect fill="url(/api/v1/me)"/>'), /url/],
    ['a style that loads data', svg(`<rect style="mask:url('data:image/svg+xml,x')"/>`), /url/],
    ['a style with an escape', svg('<rect style="fill:\\75rl(http://x/)"/>'), /escape/],
    ['a presentation attribute with an escape', svg('<rect fill="u\\72l(http://x/)"/>'), /escape/],
    ['a sheet that imports', svg('<style>@import "http://x/";</style>'), /begins with @/],
    ['a sheet that imports by a reference', svg('<style>&#64;import "http://x/";</style>'), /begins with @/],
    [
      'a sheet whose halves are joined around a comment',
      svg('<style>rect{fill:ur<!-- -->l(http://x/)}</style>'),
      /url/,
    ],
    [
      'a sheet whose halves are joined around CDATA',
      svg('<style>rect{fill:ur<![CDATA[l(http://x/)}]]></style>'),
      /url/,
    ],
    [
      'a sheet that hides behind a comment of its own',
      svg('<style>a{content:"/*"} rect{mask:image-set("http://x/" 1x)} /* */</style>'),
      /image-set/,
    ],
    ['a sheet with an address in a comment of an address', svg('<style>rect{fill:url(/**/#a)}</style>'), /url/],
    ['an expression', svg('<rect style="width:expression(alert(1))"/>'), /expression/],
    ['a binding', svg('<rect style="-moz-binding: none"/>'), /bind/],
    ['a base', svg('<g xml:base="http://x/"/>'), /xml:base/],
    ['a DOCTYPE', Buffer.from('<!DOCTYPE svg><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>'), /DOCTYPE/],
    [
      'an entity',
      Buffer.from(
        '<!DOCTYPE svg [<!ENTITY x "y">]><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">&x;</svg>',
      ),
      /DOCTYPE/,
    ],
    [
      'an external entity',
      Buffer.from(
        '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><text>&x;</text></svg>',
      ),
      /DOCTYPE/,
    ],
    ['an undeclared entity', svg('<text>&x;</text>'), /stands for nothing/],
    [
      'a style sheet instruction',
      Buffer.from('<?xml-stylesheet href="http://x/"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>'),
      /line 1/,
    ],
    ['a late instruction', svg('<?php evil() ?>'), /line 1/],
    [
      'another encoding',
      Buffer.from('<?xml version="1.0" encoding="UTF-7"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>'),
      /line 1/,
    ],
    ['UTF-16', Buffer.from('\uFEFF<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>', 'utf16le'), /UTF-8/],
    ['CDATA outside a style', svg('<text><![CDATA[<script>alert(1)</script>]]></text>'), /CDATA/],
    ['an attribute that comes twice', svg('<rect id="a" id="b"/>'), /line 1/],
    ['HTML', Buffer.from('<html><body onload="alert(1)"></body></html>'), /<html>/],
    ['HTML behind the drawing', Buffer.concat([svg(''), Buffer.from('<html/>')]), /line 1/],
    ['an element inside a style', svg('<style><rect/></style>'), /within <style>/],
    [
      'an element inside an inert one',
      svg(
        '<metadata><rdf:RDF><rect/></rdf:RDF></metadata>',
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" viewBox="0 0 9 9"',
      ),
      /within <rdf:RDF>/,
    ],
    ['an unclosed comment', svg('<!-- '), /line 1/],
    ['a comment that ends twice', svg('<!-- --!> <script/> -->'), /line 1/],
    ['a null byte', svg('<scr\u0000ipt/>'), /character that no text has/],
    ['no namespace at all', Buffer.from('<svg viewBox="0 0 9 9"/>'), /xmlns/],
    ['a drawing without a size', svg('', ''), /viewBox/],
    ['a drawing of no size', svg('', 'viewBox="0 0 0 9"'), /viewBox/],
    ['a drawing of an endless size', svg('', 'viewBox="0 0 1e999 9"'), /viewBox/],
  ];
  test.each(dresses)('%s', (_, bytes, why) => {
    expect(judge(bytes)).toMatch(why);
  });
});

describe('what would cost a browser too much is refused', () => {
  test('shapes that repeat shapes that repeat shapes', () => {
    const level = (n: number) => `<g id="l${n}">${`<use href="#l${n - 1}"/>`.repeat(10)}</g>`;
    const bomb = svg(`<g id="l0"><rect/></g>${[1, 2, 3, 4, 5, 6, 7, 8].map(level).join('')}<use href="#l8"/>`);
    expect(judge(bomb)).toMatch(/repeats itself into more than/);
    const pattern = (n: number) => `<pattern id="p${n}">${`<rect fill="url(#p${n - 1})"/>`.repeat(20)}</pattern>`;
    const patterns = svg(`${[0, 1, 2, 3, 4, 5, 6].map(pattern).join('')}<rect fill="url(#p6)"/>`);
    expect(judge(patterns)).toMatch(/repeats itself/);
  });

  test('a shape that is within itself, directly or around a corner, and a long row of them', () => {
    expect(judge(svg('<g id="a"><use href="#a"/></g>'))).toMatch(/points at itself/);
    expect(judge(svg('<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>'))).toMatch(/points at itself/);
    const row = Array.from({ length: 20_000 }, (_, n) => `<g id="a${n}"><use href="#a${n + 1}"/></g>`).join('');
    expect(judge(svg(row))).toMatch(/in a row/);
  });

  test('a namespace that is called like what every object has', () => {
    for (const name of ['constructor', 'toString', '__proto__']) {
      expect(judge(svg('', `viewBox="0 0 1 1" xmlns:${name}="x"`)), name).toMatch(/is not allowed/);
    }
  });

  test('too many elements and too deep ones', () => {
    expect(judge(svg('<rect/>'.repeat(50_001)))).toMatch(/more than 50000 elements/);
    expect(judge(svg('<g>'.repeat(50) + '</g>'.repeat(50)))).toMatch(/within each other/);
  });

  test('and five megabytes of anything are judged in bounded time', () => {
    const large: [string, Buffer][] = [
      ['a path', svg(`<path d="M0 0${' 1 1'.repeat(1_200_000)}"/>`)],
      ['a comment', svg(`<!--${' x'.repeat(2_400_000)}-->`)],
      ['a sheet', svg(`<style><![CDATA[${'.a{fill:red}'.repeat(400_000)}]]></style>`)],
      ['attributes', svg(`<rect ${Array.from({ length: 300_000 }, (_, n) => `data-a${n}=""`).join(' ')}/>`)],
      ['text', svg(`<text>${'&amp;'.repeat(900_000)}</text>`)],
      ['open tags', Buffer.from('<svg '.repeat(1_000_000))],
      ['quotes', svg(`<rect x="${"'".repeat(4_800_000)}`)],
      ['blanks', svg(`<rect${' '.repeat(4_800_000)}`)],
      // A search that begins anew at each letter of a word would take years.
      ['a word in a sheet', svg(`<style>${'a'.repeat(4_800_000)}</style>`)],
      ['a word in an attribute', svg(`<path d="${'a'.repeat(4_800_000)}"/>`)],
      ['a long number', svg('', `width="${'1'.repeat(4_800_000)}x" height="1"`)],
      ['pointers', svg(`<path style="${'a:url(#b);'.repeat(450_000)}"/>`)],
    ];
    for (const [what, bytes] of large) {
      // Time of the processor: others may be busy on this machine.
      const start = process.cpuUsage();
      expect(judge(bytes).length, what).toBeGreaterThan(0);
      const { user, system } = process.cpuUsage(start);
      expect((user + system) / 1_000, what).toBeLessThan(8_000);
    }
  });
});

describe('a PNG', () => {
  const chunk = (type: string, body: Buffer, crc?: number): Buffer => {
    const out = Buffer.alloc(12 + body.length);
    out.writeUInt32BE(body.length, 0);
    out.write(type, 4, 'latin1');
    body.copy(out, 8);
    out.writeUInt32BE(crc ?? crc32(out.subarray(4, 8 + body.length)), 8 + body.length);
    return out;
  };
  const header = (width: number, height: number, rest = [8, 6, 0, 0, 0]): Buffer => {
    const body = Buffer.alloc(13);
    body.writeUInt32BE(width, 0);
    body.writeUInt32BE(height, 4);
    Buffer.from(rest).copy(body, 8);
    return chunk('IHDR', body);
  };
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const data = chunk('IDAT', deflateSync(Buffer.alloc(10)));
  const end = chunk('IEND', Buffer.alloc(0));
  const png = (...parts: Buffer[]) => Buffer.concat([signature, ...parts]);

  test('is taken with the size of its header', () => {
    const text = chunk('tEXt', Buffer.from('Title\0<script>'));
    expect(checkPng(png(header(640, 480), text, data, data, end))).toEqual({ format: 'png', width: 640, height: 480 });
  });

  test.each<[string, Buffer, RegExp]>([
    ['another file', Buffer.from('GIF89a'), /not a PNG/],
    ['an empty one', Buffer.alloc(0), /not a PNG/],
    ['SVG in its place', svg(''), /not a PNG/],
    ['its signature alone', signature, /ends in the middle/],
    ['no header first', png(data, end), /begins with its header/],
    ['two headers', png(header(1, 1), header(9, 9), data, end), /one header/],
    ['no picture', png(header(1, 1), end), /no picture/],
    ['no end', png(header(1, 1), data), /ends in the middle/],
    ['something behind the end', png(header(1, 1), data, end, Buffer.from('<script>')), /after the end/],
    [
      'a part longer than the file',
      png(header(1, 1), Buffer.from('ffffffff49444154', 'hex')),
      /ends in the middle|broken/,
    ],
    ['a damaged part', png(header(1, 1), chunk('IDAT', Buffer.from('x'), 7), end), /damaged/],
    ['an unknown necessary part', png(header(1, 1), chunk('EVIL', Buffer.alloc(0)), data, end), /unknown part EVIL/],
    ['no width', png(header(0, 5), data, end), /0 x 5/],
    ['65,535 pixels each way', png(header(65_535, 65_535), data, end), /at most 10000/],
    ['many pixels in all', png(header(10_000, 10_000), data, end), /million/],
    ['a size beyond counting', png(header(0xffffffff, 1), data, end), /at most 10000/],
    ['3 bits a pixel', png(header(1, 1, [3, 6, 0, 0, 0]), data, end), /3 bits/],
    ['an unknown packing', png(header(1, 1, [8, 6, 1, 0, 0]), data, end), /packing/],
    ['moving pictures', png(header(1, 1), chunk('acTL', Buffer.alloc(8)), data, end), /moving/],
  ])('with %s is refused', (_, bytes, why) => {
    expect(() => checkPng(bytes)).toThrow(why);
  });
});
