import { once } from 'node:events';
import { taskSignal, type Context } from 'thereafter';

export const log: string[] = [];

async function poll(): Promise<void> {
  const signal = taskSignal(); // of the task that runs here; pass it on, to fetch() say
  await once(signal, 'abort');
  log.push(`stopped: ${(signal.reason as { code: string }).code}`);
}

export function start({ ctx }: { ctx: Context }): string {
  ctx.tasks.with({ timeout: '50ms' }).add(poll);
  ctx.tasks.add(() => void log.push('the next task starts'));
  return 'started';
}
