import type { ListenOptions } from 'thereafter';

/** Flags of the commands that run an app. */
export interface ListenFlags {
  readonly port?: number;
  readonly host?: string;
  readonly envFile?: string;
}

/** What flags say about where to listen; they win over the code of the program. */
export function toListenOptions({ port, host }: ListenFlags): ListenOptions {
  return { ...(port !== undefined && { port }), ...(host !== undefined && { host }) };
}
