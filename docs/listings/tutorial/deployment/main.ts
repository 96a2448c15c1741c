import { BackgroundTasks, config, Controller, createApp, Inject, Post, Query } from 'thereafter';
import { accessLog } from 'thereafter/access-log';
import { health } from 'thereafter/health';
import { requestId } from 'thereafter/request-id';
import { setTimeout as wait } from 'node:timers/promises';
import { Type, type Static } from 'typebox';

const Environment = Type.Object({ SENDER: Type.String({ format: 'email' }) });
const Settings = config(Environment);

@Controller('/reminders')
class RemindersController {
  constructor(@Inject(Settings) private readonly settings: Static<typeof Environment>) {}

  @Post('/')
  remind(@Query('what', Type.String()) what: string, tasks: BackgroundTasks) {
    tasks.add(async () => {
      await wait(500);
      console.log(`${this.settings.SENDER} reminds you of ${what}`);
    });
    return { message: 'You will be reminded' };
  }
}

await createApp({ title: 'Reminders', trustProxy: 1, shutdown: { drainTimeout: '25s' } })
  .use(health()) // outermost: probes leave no line in the log
  .use(requestId({ trust: true }))
  .use(accessLog())
  .include(RemindersController)
  .run();
