import { BackgroundTasks, createApp, dependency, query } from 'thereafter';
import { Type } from 'typebox';

function writeLog(message: string) {
  console.log(message);
}

const logged = dependency(
  { tasks: BackgroundTasks, q: query('q', Type.Optional(Type.String())) },
  ({ tasks, q }) => {
    if (q !== undefined) tasks.add(writeLog, `found query: ${q}`);
    return q;
  },
);

await createApp()
  .post('/send/:email', { in: { q: logged, tasks: BackgroundTasks } }, ({ ctx, tasks }) => {
    tasks.add(writeLog, `message to ${ctx.params['email']}`);
    return { message: 'Message sent' };
  })
  .run();
