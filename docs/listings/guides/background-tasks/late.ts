import { type Context } from 'thereafter';

export const log: string[] = [];

export function work({ ctx }: { ctx: Context }): string {
  ctx.tasks.add(() => {
    log.push('first');
    ctx.tasks.add(() => void log.push('added by the first: comes last'));
  });
  ctx.tasks.add(() => void log.push('second'));

  const reminder = ctx.tasks.with({ name: 'reminder' }).add(() => void log.push('never'));
  reminder.cancel(); // true: it came in time
  return 'working';
}
