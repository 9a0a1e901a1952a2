declare module 'espeak-ng' {
  interface FileSystem {
    writeFile(path: string, content: string | Uint8Array): void;
    readFile(path: string): Uint8Array;
  }
  interface EspeakModule {
    readonly FS: FileSystem;
  }
  interface EspeakOptions {
    readonly arguments: readonly string[];
    readonly print: (line: string) => void;
    readonly printErr: (line: string) => void;
    readonly preRun: readonly ((module: EspeakModule) => void)[];
  }
  /** Runs the command once. */
  export default function startEspeak(options: EspeakOptions): Promise<EspeakModule>;
}
