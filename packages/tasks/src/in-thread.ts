import { currentTask } from './current-task.ts';
import { ThreadError } from './errors.ts';

/**
 * A task function that runs an exported function of a module in a worker thread, so that heavy
 * computing holds up no request: `tasks.add(inThread(new URL('./resize.js', import.meta.url),
 * 'resize'), file)`. Arguments and result are copied. A timeout and the end of the app end the thread.
 * A module that is there as `resize.ts` only is found under its `.js` name too.
 *
 * Needs the package `piscina`, which is loaded at the first run.
 *
 * @throws {ThreadError} When it runs: `THREAD_NO_POOL` without `piscina`, `THREAD_NO_FUNCTION` when the
 *   module does not export the function, `THREAD_OUTSIDE_TASK` when it is called instead of added.
 */
export function inThread<F extends (...args: never[]) => unknown>(
  module: URL,
  exportName: string,
): (...args: Parameters<F>) => Promise<Awaited<ReturnType<F>>> {
  const run = async (...args: Parameters<F>): Promise<Awaited<ReturnType<F>>> => {
    const task = currentTask.getStore();
    if (!task) {
      throw new ThreadError(
        'THREAD_OUTSIDE_TASK',
        `${exportName} was called where no task runs. Threads belong to an app: add it with ` +
          `tasks.add(${exportName}, ...), or call it in a task.`,
      );
    }
    const call = { module: module.href, exportName, args };
    return (await task.threads.call(call, task.signal)) as Awaited<ReturnType<F>>; // F says so
  };
  return Object.defineProperty(run, 'name', { value: exportName });
}
