import { isFrameworkError } from '../framework-error.ts';
import { CommandError } from '../failure.ts';
import { inspect } from '../inspect.ts';
import type { Finding } from './check.ts';

/** Whether the app could start: every route and task is planned, nothing is built and no port opens. */
export async function checkPlan(entry: string): Promise<Finding[]> {
  try {
    const { blueprint } = await inspect(entry);
    return blueprint.plan().faults.map((fault) => {
      const { code } = fault as { code?: unknown };
      return {
        problem: `${typeof code === 'string' ? `[${code}] ` : ''}${fault.message}`,
        remedy: '', // its message ends with what to do
      };
    });
  } catch (error) {
    if (error instanceof CommandError || isFrameworkError(error)) {
      return [{ problem: error.message.trim(), remedy: '' }];
    }
    return [
      {
        problem: `The program fails while it is loaded: ${error instanceof Error ? error.stack : String(error)}`,
        remedy:
          'Make its modules do nothing but declare, and move what needs a service into lifespan().',
      },
    ];
  }
}
