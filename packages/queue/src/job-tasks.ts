import { ArgumentError, type Container, type Plan } from '@thereafter/di';
import { taskSpecOf, toMilliseconds, type Runnable, type TaskSpec } from '@thereafter/tasks';
import { toBackoff, type Backoff } from './backoff.ts';
import { TaskNameTakenError, TaskNotIncludedError } from './errors.ts';

/** A task that was included: what its jobs need, worked out once. */
export interface JobTask {
  readonly spec: TaskSpec;
  readonly plan: Plan;
  readonly queue: string;
  readonly attempts: number;
  readonly priority: number;
  readonly backoff: Backoff;
  readonly uniqueForMs: number | undefined;
}

/** The tasks of an app, by what they are and by the names under which their jobs are stored. */
export class JobTasks {
  readonly #bySpec = new Map<TaskSpec, JobTask>();
  readonly #byName = new Map<string, JobTask>();

  /**
   * Plans a task. Including it a second time changes nothing.
   *
   * @throws {TaskNameTakenError} `JOB_TASK_NAME_TAKEN` when another has its name, or one of its aliases.
   * @throws {ArgumentError} When it is no task, or an option is out of range.
   */
  include(task: Runnable, container: Container): void {
    const spec = taskSpecOf(task);
    if (!spec)
      throw new ArgumentError(`${task.name} is not a task. Decorate it with @Task(schema).`);
    if (this.#bySpec.has(spec)) return;
    const { name, options } = spec;
    const { queue = 'default', attempts = DEFAULT_ATTEMPTS, priority = DEFAULT_PRIORITY } = options;
    if (!Number.isInteger(attempts) || attempts < 1) {
      throw new ArgumentError(
        `The attempts of task ${name} are a whole number from 1, not ${attempts}.`,
      );
    }
    assertPriority(priority);
    const included: JobTask = {
      spec,
      plan: container.plan([{ label: 'the task', key: spec.key }], { name, kind: 'task' }),
      queue,
      attempts,
      priority,
      backoff: toBackoff(options.backoff),
      uniqueForMs: options.uniqueFor && toMilliseconds(options.uniqueFor),
    };
    for (const taken of [name, ...(options.aliases ?? [])]) {
      if (this.#byName.has(taken)) throw new TaskNameTakenError(taken);
      this.#byName.set(taken, included);
    }
    this.#bySpec.set(spec, included);
  }

  /** @throws {TaskNotIncludedError} `JOB_TASK_NOT_INCLUDED` */
  of(task: Runnable): JobTask {
    const spec = taskSpecOf(task);
    const included = spec && this.#bySpec.get(spec);
    if (!included) throw new TaskNotIncludedError(task.name);
    return included;
  }

  /** The task whose jobs are stored under this name. */
  named(name: string): JobTask | undefined {
    return this.#byName.get(name);
  }

  all(): Iterable<JobTask> {
    return this.#bySpec.values();
  }

  /** The queues in which its jobs are. */
  get queues(): readonly string[] {
    return [...new Set([...this.#bySpec.values()].map(({ queue }) => queue))];
  }
}

const DEFAULT_ATTEMPTS = 5;
const DEFAULT_PRIORITY = 5;

/** @throws {ArgumentError} When it is not one of the priorities 0 to 9. */
export function assertPriority(priority: number): void {
  if (Number.isInteger(priority) && priority >= 0 && priority <= 9) return;
  throw new ArgumentError(
    `A priority is a whole number from 0 to 9, the lower the sooner, and not ${priority}.`,
  );
}
