import {
  dependency,
  markInjectable,
  refuseStandardDecorator,
  type Class,
  type Dependency,
  type Inputs,
  type Key,
  type Values,
} from '@thereafter/di';
import type { Static, TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { toTimeout, type Duration } from './duration.ts';
import { PayloadError } from './errors.ts';
import type { Outcome } from './outcome.ts';

/** Takes structured log lines: fields first, then the message. */
export interface Logger {
  info(fields: object | string, message?: string): void;
  error(fields: object | string, message?: string): void;
}

/** How a task is run; what only durable jobs need is ignored for background tasks. */
// oxlint-disable-next-line typescript/no-explicit-any -- a default for a payload that is not known
export interface TaskOptions<P = any> {
  /** Stable, since it is stored with jobs; default: the name of the class. */
  readonly name?: string;
  /** Longest run; then the signal aborts and the next task starts. Default: no limit. */
  readonly timeout?: Duration;
  /** Stored before the response and run by the job engine. Default `false`. */
  readonly durable?: boolean;
  /** The queue of durable jobs; default `'default'`. */
  readonly queue?: string;
  /** Most runs of a durable job, the first included; default 5. */
  readonly attempts?: number;
  /** 0 to 9, the lower the sooner; default 5. */
  readonly priority?: number;
  /**
   * How long a durable job waits for its next attempt. `'fixed'`: 5 seconds. `'exponential'`, the
   * default: 1 second, doubled from attempt to attempt up to 1 hour, a fifth of it by chance. A function
   * gets the number of the attempt that failed, and its error.
   */
  readonly backoff?:
    | 'fixed'
    | 'exponential'
    | BackoffOptions
    | ((attempt: number, error: unknown) => Duration);
  /** Whether an error is worth another attempt; default: unless its `retryable` is false. */
  readonly retryable?: (error: unknown) => boolean;
  /** At most one waiting or running job has the key that this gives. */
  readonly unique?: (payload: P) => string;
  /** The key of `unique` stays taken this long after it was, even if the job has ended. */
  readonly uniqueFor?: Duration;
  /** Former names: jobs that were stored under them are run. */
  readonly aliases?: readonly string[];
  /** A schedule in cron syntax, with 5 fields, or 6 for seconds. The payload is `{}`. */
  readonly cron?: string;
  /** The time zone of `cron`, e.g. `'Europe/Berlin'`; default UTC. */
  readonly timeZone?: string;
  /**
   * What becomes of ticks of `cron` while no worker ran: none is made up for, one job for all of them
   * (default), or one for each, the latest 100 at most.
   */
  readonly missedRuns?: 'skip' | 'once' | 'all';
  /** Whether a tick of `cron` makes a job while that of an earlier tick has not ended; default `'allow'`. */
  readonly overlap?: 'allow' | 'skip';
}

/** How the wait grows from attempt to attempt. */
export interface BackoffOptions {
  readonly type: 'fixed' | 'exponential';
  /** The first wait. */
  readonly delay: Duration;
  /** Longest wait; default `'1h'`. */
  readonly max?: Duration;
  /** 0 to 1: up to which share of itself a wait is shortened by chance. Default 0. */
  readonly jitter?: number;
}

/** What a run knows of itself. */
export interface JobContext {
  readonly id: string;
  /** 1 for the first run. */
  readonly attempt: number;
  /** How the response ended after which this runs; undefined for a durable job. */
  readonly outcome?: Outcome | undefined;
  /** The tick of `cron` for which this runs, which may be long past; undefined for other runs. */
  readonly scheduledFor?: Date | undefined;
  /** Aborts when the run should stop: its timeout, a cancellation, the end of the process. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Says how far the run is, from 0 to 1. */
  progress(fraction: number): Promise<void>;
}

/** A task that is a function of its payload and of what it asks for. */
export interface TaskDefinition<P, R = unknown> {
  readonly kind: 'task';
  readonly name: string;
  readonly _payload?: P;
  readonly _result?: R;
}

/** A class with a `run` method. */
// oxlint-disable-next-line typescript/no-explicit-any -- a constraint: parameters are contravariant
export type RunnableClass = abstract new (...args: any[]) => { run(...args: any[]): unknown };

/** What can be added with a payload: a `@Task` class or a `defineTask()` definition. */
// oxlint-disable-next-line typescript/no-explicit-any -- a constraint: any payload
export type Runnable = RunnableClass | TaskDefinition<any, any>;

/** The payload that a task takes. */
export type PayloadOf<C> = C extends abstract new (
  // oxlint-disable-next-line typescript/no-explicit-any -- a constraint: any parameters
  ...args: any[]
) => // oxlint-disable-next-line typescript/no-explicit-any -- a constraint: any parameters
{ run(payload: infer P, ...rest: any[]): unknown }
  ? P
  : // oxlint-disable-next-line typescript/no-explicit-any -- a constraint: any result
    C extends TaskDefinition<infer P, any>
    ? P
    : never;

/** Class and definition reduced to one form: what a runner needs to run a task. */
export interface TaskSpec {
  readonly name: string;
  readonly options: TaskOptions;
  readonly timeoutMs: number | undefined;
  /** What is built, in a scope of its own, for each run. */
  readonly key: Key;
  /** @throws {PayloadError} `TASK_PAYLOAD` when the payload does not fit. */
  check(payload: unknown): void;
  /** @param built - The value of `key`. */
  call(built: unknown, payload: unknown, job: JobContext): unknown;
}

const specs = new WeakMap<object, TaskSpec>();

/**
 * Marks a task class: its constructor is injected in a scope that is opened for each run and closed
 * after it; `run` gets the payload, checked against the schema.
 */
export function Task<S extends TSchema>(
  payload: S,
  options: TaskOptions<Static<S>> = {},
): <
  // oxlint-disable-next-line typescript/no-explicit-any -- a constraint: any constructor
  C extends new (...args: any[]) => { run(payload: Static<S>, job: JobContext): unknown },
>(
  target: C,
) => void {
  return (target, context?: unknown) => {
    refuseStandardDecorator('Task', context);
    const name = options.name ?? target.name;
    markInjectable(target, 'request');
    specs.set(target, {
      name,
      options,
      timeoutMs: options.timeout && toTimeout(options.timeout),
      key: target,
      check: payloadCheck(name, payload),
      call: (built, given, job) =>
        (built as { run(p: unknown, j: JobContext): unknown }).run(given, job),
    });
  };
}

/** Declares a task as a function: a record of what it needs, then a function of payload and record. */
export function defineTask<S extends TSchema, const I extends Inputs, R>(
  definition: TaskOptions<Static<S>> & {
    readonly name: string;
    readonly payload: S;
    readonly in?: I;
  },
  run: (values: { payload: Static<S>; job: JobContext } & Values<I>) => R | Promise<R>,
): TaskDefinition<Static<S>, R> {
  const { name, payload, in: inputs = {}, ...options } = definition;
  const needs: Dependency<object> = dependency(inputs, (values: object) => values, { name });
  const task: TaskDefinition<Static<S>, R> = { kind: 'task', name };
  specs.set(task, {
    name,
    options,
    timeoutMs: options.timeout && toTimeout(options.timeout),
    key: needs,
    check: payloadCheck(name, payload),
    call: (built, given, job) => run({ ...(built as Values<I>), payload: given as Static<S>, job }),
  });
  return task;
}

/** The spec of a `@Task` class or definition; `undefined` for everything else. */
export function taskSpecOf(task: unknown): TaskSpec | undefined {
  return specs.get(task as object); // a value that is no object has none
}

function payloadCheck(name: string, schema: TSchema): (payload: unknown) => void {
  let validator: Validator | undefined; // compiled on first use: importing a task stays cheap
  return (payload) => {
    validator ??= Compile(schema) as unknown as Validator; // its type parameters do not matter here
    if (validator.Check(payload)) return;
    const faults = validator
      .Errors(payload)
      .map(({ instancePath, message }) => `${instancePath || '/'} ${message}`);
    throw new PayloadError(name, faults);
  };
}

/** For error messages: how a value that is no task looks to its author. */
export function isClass(value: unknown): value is Class {
  if (typeof value !== 'function') return false;
  // Only a class has a `prototype` that cannot be replaced; arrow functions have none at all.
  return Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false;
}
