/* What this room uses of xml-crypto. Its own types bring those of a browser along, for the whole program (tsconfig.json, paths). */

export class SignedXml {
  constructor(options: {
    readonly privateKey?: string;
    readonly publicCert?: string;
    readonly getCertFromKeyInfo?: () => null;
  });
  signatureAlgorithm: string;
  canonicalizationAlgorithm: string;
  readonly SignatureAlgorithms: object;
  readonly HashAlgorithms: object;
  addReference(reference: {
    readonly xpath: string;
    readonly transforms: readonly string[];
    readonly digestAlgorithm: string;
    readonly uri?: string;
    readonly isEmptyUri?: boolean;
  }): void;
  computeSignature(text: string): void;
  getSignedXml(): string;
  loadSignature(signature: string): void;
  /** Throws, or is false, where it does not fit. */
  checkSignature(text: string): boolean;
  getSignedReferences(): string[];
}
