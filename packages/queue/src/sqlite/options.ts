/** Which failures an acknowledged job survives. */
export type Durability = 'process' | 'power';

export interface SqliteOptions {
  /**
   * Where the jobs are kept: a path on a local disk; its folder is made when missing. SQLite and the
   * workers keep files beside it, named after it.
   */
  readonly file: string;
  /**
   * `'process'` (default): what was acknowledged survives the death of every process, `kill -9`
   * included; a power cut or a crash of the operating system may take the last moments with it, never
   * the file. `'power'`: it is on the disk before it is acknowledged, and survives those too.
   */
  readonly durability?: Durability | undefined;
}
