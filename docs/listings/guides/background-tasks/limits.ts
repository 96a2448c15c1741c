import { createApp, type AppOptions, type Context } from 'thereafter';
import { TasksFullError } from 'thereafter/errors';

async function resize(name: string): Promise<void> {
  void name;
  await new Promise((resolve) => setTimeout(resolve, 5));
}

export const gallery = (options: AppOptions) =>
  createApp({ ...options, tasks: { maxPending: 1 } })
    // Left alone, an add() too many is a 503 with Retry-After.
    .get('/strict', ({ ctx }: { ctx: Context }) => {
      ctx.tasks.add(resize, 'a');
      ctx.tasks.add(resize, 'b');
      return 'resizing';
    })
    .get('/lenient', ({ ctx }: { ctx: Context }) => {
      try {
        ctx.tasks.add(resize, 'a');
        ctx.tasks.add(resize, 'b');
      } catch (error) {
        if (!(error instanceof TasksFullError)) throw error;
        return 'b is left as it is';
      }
      return 'resizing';
    });
