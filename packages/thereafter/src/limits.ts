import { toMilliseconds, type Duration } from '@thereafter/tasks';
import { assertOptions, type Kind } from './given.ts';

/** Limits of forms with files. Beyond them a request is refused with 413, or 400 for headers. */
export interface MultipartLimits {
  /** Files in one request; default 16. */
  readonly maxFiles?: number;
  /** Bytes of one file, unless `file()` says otherwise; default 10 MiB. */
  readonly maxFileBytes?: number;
  /** Fields that are no files; default 100. */
  readonly maxFields?: number;
  /** Bytes of one such field; default 1 MiB. */
  readonly maxFieldBytes?: number;
  /** Parts of any kind, those that nobody asked for included; default 1,000. */
  readonly maxParts?: number;
  /** Header lines of one part; default 16. */
  readonly maxPartHeaders?: number;
  /** Bytes of the header lines of one part; default 8 KiB. */
  readonly maxPartHeaderBytes?: number;
}

/** What one client may ask of the app. Every limit has a safe default. */
export interface Limits {
  /** Bytes of request line and headers; default 16 KiB, beyond it 431. */
  readonly maxHeaderBytes?: number;
  /** Header lines; default 100, beyond it 431. */
  readonly maxHeaders?: number;
  /** Bytes of the request target; default 8 KiB, beyond it 414. */
  readonly maxUrlBytes?: number;
  /** Pairs in a query string or an urlencoded form; default 1,000, beyond it 400. */
  readonly maxQueryPairs?: number;
  /** Bytes of a body, unless its input says otherwise; default 1 MiB, beyond it 413. */
  readonly maxBodyBytes?: number;
  /**
   * Whether bodies may be compressed (`gzip`, `deflate`, `br`, `zstd`); default false: 415. If so,
   * `maxBodyBytes` counts what comes out.
   */
  readonly compressedBodies?: boolean;
  /** Bytes that one byte of a compressed body may become, once there are 64 KiB; default 100. */
  readonly maxCompressionRatio?: number;
  /** Levels of arrays and objects in a JSON body; default 64, beyond it 400. */
  readonly maxJsonDepth?: number;
  readonly multipart?: MultipartLimits;
  /** From the first byte of a request, or the opening of the connection, to the end of its headers; default `'10s'`, then 408. */
  readonly headTimeout?: Duration;
  /** A body that takes longer must come at `minUploadRate`, else 408; default `'30s'`. */
  readonly requestTimeout?: Duration;
  /** Bytes a second, on average, that allow a body to take longer than `requestTimeout`; default 1,024. */
  readonly minUploadRate?: number;
  /** Longest time of a request to arrive, at whatever rate; default `'10m'`, then 408. */
  readonly uploadTimeout?: Duration;
  /** How long a connection may wait for its next request; default `'65s'`. */
  readonly keepAliveTimeout?: Duration;
  /** How long a response may wait for a client that takes nothing; default `'60s'`, then the connection is cut. */
  readonly writeTimeout?: Duration;
  /** How often timeouts are looked at; default `'1s'`. */
  readonly checkInterval?: Duration;
  /** Open connections; default 10,000, more are dropped. */
  readonly maxConnections?: number;
  /** Requests of one connection that are answered at once; default 64, more wait until there are fewer. */
  readonly maxUnanswered?: number;
}

type Timing = Extract<keyof Limits, `${string}Timeout` | 'checkInterval'>;

/** The limits as they are used: complete, and times in milliseconds. */
export type AppLimits = Required<Omit<Limits, Timing | 'multipart'>> & {
  readonly [K in Timing as `${K}Ms`]: number;
} & { readonly multipart: Required<MultipartLimits> };

const KIB = 1024;
const MIB = 1024 * KIB;

export const DEFAULT_LIMITS: Required<Limits> & { readonly multipart: Required<MultipartLimits> } =
  {
    maxHeaderBytes: 16 * KIB,
    maxHeaders: 100,
    maxUrlBytes: 8 * KIB,
    maxQueryPairs: 1000,
    maxBodyBytes: MIB,
    compressedBodies: false,
    maxCompressionRatio: 100,
    maxJsonDepth: 64,
    multipart: {
      maxFiles: 16,
      maxFileBytes: 10 * MIB,
      maxFields: 100,
      maxFieldBytes: MIB,
      maxParts: 1000,
      maxPartHeaders: 16,
      maxPartHeaderBytes: 8 * KIB,
    },
    headTimeout: '10s',
    requestTimeout: '30s',
    minUploadRate: KIB,
    uploadTimeout: '10m',
    keepAliveTimeout: '65s',
    writeTimeout: '60s',
    checkInterval: '1s',
    maxConnections: 10_000,
    maxUnanswered: 64,
  };

/** @throws {ArgumentError} For a limit that is none, or not of its kind. */
export function assertLimits(given: Limits): void {
  const { multipart, ...others } = given;
  assertOptions('limits', { multipart, ...others }, kindsOf(DEFAULT_LIMITS));
  if (multipart) assertOptions('limits.multipart', multipart, kindsOf(DEFAULT_LIMITS.multipart));
}

function kindsOf(defaults: object): Record<string, Kind> {
  const kinds: Readonly<Record<string, Kind>> = {
    number: 'a number from 0',
    string: 'a duration',
    boolean: 'true or false',
    object: 'an object',
  };
  return Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [name, kinds[typeof value]!]),
  );
}

/** The limits as they are used, with defaults for those that were not given. */
export function toAppLimits(given: Limits = {}): AppLimits {
  const { headTimeout, requestTimeout, uploadTimeout, keepAliveTimeout, ...rest } = {
    ...DEFAULT_LIMITS,
    ...given,
  };
  const { writeTimeout, checkInterval, ...counted } = rest;
  return {
    ...counted,
    multipart: { ...DEFAULT_LIMITS.multipart, ...given.multipart },
    headTimeoutMs: toMilliseconds(headTimeout),
    requestTimeoutMs: toMilliseconds(requestTimeout),
    uploadTimeoutMs: toMilliseconds(uploadTimeout),
    keepAliveTimeoutMs: toMilliseconds(keepAliveTimeout),
    writeTimeoutMs: toMilliseconds(writeTimeout),
    checkIntervalMs: toMilliseconds(checkInterval),
  };
}

/** A timer of Node fires at once beyond this: 24.8 days. */
export const LONGEST_TIMER_MS: number = 2 ** 31 - 1;
