import { createContainer, type Failure } from '@thereafter/di';
import {
  BackgroundTasks,
  TaskQueue,
  TaskRunner,
  type Logger,
  type Outcome,
  type TaskLimits,
} from '@thereafter/tasks';

/** A runner without a server, and what it logs. */
export function createRunner(limits: TaskLimits = {}): TaskRunner & { readonly logged: string[] } {
  const logged: string[] = [];
  const note = (fields: object | string, message?: string): void =>
    void logged.push(message ?? JSON.stringify(fields));
  const runner = new TaskRunner({
    container: createContainer(),
    log: { info: note, error: note },
    ...limits,
  });
  return Object.assign(runner, { logged });
}

/** The tasks of a request, and what ends its response. */
export function request(runner: TaskRunner): {
  readonly tasks: BackgroundTasks;
  readonly respond: (outcome?: Outcome, failure?: Failure) => void;
} {
  const host = createHost();
  const queue = new TaskQueue(runner, host);
  return {
    tasks: new BackgroundTasks(queue),
    respond(outcome = 'sent', failure) {
      host.isAnswered = true;
      host.outcome = outcome;
      host.failure = failure;
      queue.release();
    },
  };
}

/** A request that is not answered yet. */
export function createHost() {
  return {
    id: 'the request',
    log: QUIET,
    outcome: undefined as Outcome | undefined,
    isAnswered: false,
    failure: undefined as Failure | undefined,
    watch: () => undefined,
  };
}

const QUIET: Logger = { info: () => undefined, error: () => undefined };
