import { AsyncLocalStorage } from 'node:async_hooks';
import { type Context } from 'thereafter';

const user = new AsyncLocalStorage<string>();
export const audit: (string | undefined)[] = [];

export function remove({ ctx }: { ctx: Context }): Promise<string> {
  return user.run('ada', async () => {
    ctx.tasks.add(() => {
      audit.push(user.getStore()); // 'ada': as it was at add()
      user.enterWith('somebody else');
    });
    ctx.tasks.add(() => void audit.push(user.getStore())); // 'ada' again
    return 'removed';
  });
}
