/* What this room uses of @xmldom/xmldom. Its own types bring those of a browser along, for the whole program (tsconfig.json, paths). */

export interface XmlNode {
  readonly nodeType: number;
  readonly parentNode: XmlNode | null;
  readonly firstChild: XmlNode | null;
  readonly nextSibling: XmlNode | null;
  readonly textContent: string | null;
  toString(): string;
}
export interface XmlElement extends XmlNode {
  readonly localName: string | null;
  readonly namespaceURI: string | null;
  getElementsByTagNameNS(namespace: string, name: string): { item(index: number): XmlElement | null };
}
export class DOMParser {
  constructor(options: {
    readonly errorHandler: Readonly<Record<'warning' | 'error' | 'fatalError', (message: string) => void>>;
  });
  parseFromString(text: string, type: 'text/xml'): { readonly documentElement: XmlElement | null };
}
