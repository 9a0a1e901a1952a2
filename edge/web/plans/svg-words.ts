/*
 * What an SVG of a plan may consist of. Everything else is refused by name. A long table because SVG is: the elements and
 * attributes that draw (SVG 2, chapters 5 and 8 to 14), without those that run, load, animate or hold foreign content.
 */

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

export const svgNamespace = 'http://www.w3.org/2000/svg';
export const xlinkNamespace = 'http://www.w3.org/1999/xlink';

/** Prefixes that drawing programs write, and the one meaning each may have here. What they name does nothing. */
export const inertNamespaces: Readonly<Record<string, readonly string[]>> = {
  inkscape: ['http://www.inkscape.org/namespaces/inkscape'],
  sodipodi: ['http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd'],
  rdf: ['http://www.w3.org/1999/02/22-rdf-syntax-ns#'],
  cc: ['http://creativecommons.org/ns#', 'http://web.resource.org/cc/'],
  dc: ['http://purl.org/dc/elements/1.1/'],
  serif: ['http://www.serif.com/'],
  svg: [svgNamespace],
  xlink: [xlinkNamespace],
};

export const svgElements: ReadonlySet<string> = new Set(
  words(`
  svg g defs symbol use title desc metadata style
  path rect circle ellipse line polyline polygon text tspan textPath
  linearGradient radialGradient stop pattern clipPath mask marker
`),
);

/** Elements whose text is shown or read; elsewhere only blanks may stand between tags. */
export const textElements: ReadonlySet<string> = new Set(['title', 'desc', 'text', 'tspan', 'textPath', 'style']);

/** May point at something by `href`, and then only at something in the same file. */
export const pointingElements: ReadonlySet<string> = new Set([
  'use',
  'textPath',
  'linearGradient',
  'radialGradient',
  'pattern',
]);

export const svgAttributes: ReadonlySet<string> = new Set(
  words(`
  id class lang tabindex role xml:space xml:lang version baseProfile
  x y x1 y1 x2 y2 cx cy r rx ry fx fy fr dx dy width height d points viewBox preserveAspectRatio transform rotate
  pathLength offset startOffset method spacing side textLength lengthAdjust
  gradientUnits gradientTransform spreadMethod patternUnits patternContentUnits patternTransform
  clipPathUnits maskUnits maskContentUnits markerUnits markerWidth markerHeight orient refX refY
  type media
  fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin stroke-miterlimit
  stroke-dasharray stroke-dashoffset opacity color display visibility overflow clip clip-path clip-rule mask
  marker-start marker-mid marker-end paint-order shape-rendering text-rendering color-rendering image-rendering
  color-interpolation vector-effect transform-origin stop-color stop-opacity mix-blend-mode isolation
  font font-family font-size font-size-adjust font-stretch font-style font-variant font-weight letter-spacing
  word-spacing text-anchor text-decoration dominant-baseline alignment-baseline baseline-shift writing-mode direction
  unicode-bidi kerning white-space line-height style enable-background
`),
);

/** Attributes that programs read and browsers do not. */
export const inertAttribute = /^(data-[\w.-]+|aria-[a-z]+|(inkscape|sodipodi|serif):[\w.-]+)$/;

/** Attributes of anybody's words: nothing in them is a style. */
export const freeText = /^(id|class|lang|role|(data|aria)-.*|(inkscape|sodipodi|serif|rdf):.*)$/;

/** Functions that a style may call. `url` only as url(#name). */
export const styleFunctions: ReadonlySet<string> = new Set(
  words(`
  rgb rgba hsl hsla calc min max matrix translate translatex translatey scale scalex scaley rotate skewx skewy
  inset circle ellipse polygon
`),
);
