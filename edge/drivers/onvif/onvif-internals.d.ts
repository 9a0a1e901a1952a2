/** npm onvif 0.8 ships types for its door only; `parseSOAPString` gives its calls the shape they expect. */
declare module 'onvif/lib/utils.js' {
  export function parseSOAPString(
    xml: string,
    callback: (error: Error | null, data: unknown, xml: string) => void,
    status?: number,
  ): void;
}
