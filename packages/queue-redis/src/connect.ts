import { Redis } from 'ioredis';
import { within, type Logger } from '@thereafter/queue/driver';
import { RedisUnavailableError } from './errors.ts';

const COMMON = {
  connectTimeout: 2_000,
  // A failover leaves the connection at a server that only reads.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  retryStrategy: (times: number) => Math.min(times * 50, 1_000),
};

/** The connections of a driver: of an outage of Redis, all of them together say one line. */
export class Connections {
  readonly #url: string;
  readonly #log: Logger;
  readonly #away = new Set<Redis>();

  constructor(url: string, log: Logger) {
    this.#url = url;
    this.#log = log;
  }

  /**
   * For those who want an answer soon, even if it is that Redis is down: nothing waits for the connection
   * to come back, and nothing is sent a second time.
   */
  toAsk(): Redis {
    const client = new Redis(this.#url, {
      ...COMMON,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 1,
    });
    return this.#watch(client);
  }

  /** For workers, who can wait: what they say is said when the connection has come back. */
  toWork(): Redis {
    return this.#watch(new Redis(this.#url, { ...COMMON, maxRetriesPerRequest: null }));
  }

  #watch(client: Redis): Redis {
    let lastError: Error | undefined;
    // Without a listener an error would end the process.
    client.on('error', (error: Error) => {
      lastError = error;
    });
    client.on('reconnecting', () => {
      if (this.#away.size === 0) {
        this.#log.error({ err: lastError }, 'Redis is away; connecting again');
      }
      this.#away.add(client);
    });
    client.on('ready', () => this.#isBack(client));
    client.on('end', () => this.#away.delete(client));
    return client;
  }

  #isBack(client: Redis): void {
    if (this.#away.delete(client) && this.#away.size === 0) this.#log.info({}, 'Redis is back');
  }
}

/**
 * @throws {RedisUnavailableError} If it does not connect within two seconds.
 */
export async function ready(client: Redis): Promise<void> {
  if (client.status === 'ready') return;
  let lastError: unknown = new Error('no answer');
  const onError = (error: Error): void => {
    lastError = error;
  };
  client.on('error', onError);
  const { promise, resolve } = Promise.withResolvers<void>();
  client.once('ready', resolve);
  try {
    if (!(await within(2_000, promise))) {
      throw new RedisUnavailableError('connect to the store of jobs', lastError);
    }
  } finally {
    client.off('error', onError);
    client.off('ready', resolve);
  }
}

/** Says goodbye if there is somebody to say it to. */
export async function disconnect(client: Redis): Promise<void> {
  if (client.status === 'end') return;
  const ended = new Promise<void>((resolve) => {
    client.once('end', () => resolve());
  });
  // `disconnect` forgets what was not sent: only for a connection that is not up.
  if (client.status === 'ready') {
    await within(
      500,
      client.quit().catch(() => {}),
    );
  }
  client.disconnect();
  // One that waits to connect again has no socket that could end.
  if (client.status !== 'reconnecting') await within(500, ended);
}

/** What Redis must be told so that it keeps jobs; said loudly, since many offers of Redis are caches. */
export async function checkSettings(client: Redis, log: Logger): Promise<void> {
  const settings = await readSettings(client);
  if (!settings) {
    log.error(
      {},
      'Redis does not tell its settings. Make sure that maxmemory-policy is noeviction and that ' +
        'appendonly is yes: else acknowledged jobs can be lost.',
    );
    return;
  }
  const { policy, appendOnly } = settings;
  if (policy !== 'noeviction') {
    log.error(
      { policy },
      `Redis throws keys away when its memory is full (maxmemory-policy is ${policy}), jobs too. ` +
        'Set maxmemory-policy noeviction.',
    );
  }
  if (appendOnly !== 'yes') {
    log.error(
      { appendOnly },
      'Redis forgets acknowledged jobs when it is killed (appendonly is no). Set appendonly yes.',
    );
  }
}

async function readSettings(
  client: Redis,
): Promise<{ policy: string; appendOnly: string } | undefined> {
  try {
    const policy = await readSetting(client, 'maxmemory-policy');
    const appendOnly = await readSetting(client, 'appendonly');
    return policy === undefined || appendOnly === undefined ? undefined : { policy, appendOnly };
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return undefined; // not allowed to ask
    throw new RedisUnavailableError('read the settings of Redis', error);
  }
}

async function readSetting(client: Redis, name: string): Promise<string | undefined> {
  const reply: unknown = await client.call('CONFIG', 'GET', name);
  if (Array.isArray(reply)) return reply[1] as string | undefined; // name, value
  return (reply as Record<string, string> | null)?.[name];
}
