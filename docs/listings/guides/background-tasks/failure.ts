import { createApp, type AppOptions, type Context } from 'thereafter';

export const reports: string[] = [];

function fail(): never {
  throw new Error('the printer is on fire');
}

export const print = (options: AppOptions) =>
  createApp(options)
    .onTaskError((error, { taskName, requestId }) => {
      reports.push(`${taskName}: ${String(error)} (${requestId})`);
    })
    .get('/print', ({ ctx }: { ctx: Context }) => {
      ctx.tasks.add(fail);
      ctx.tasks.add(() => void reports.push('the next task runs'));
      ctx.tasks.with({ name: 'last straw', stopOnError: true }).add(fail);
      ctx.tasks.add(() => void reports.push('never: discarded'));
      return 'printing';
    });
