import { BackgroundTasks, Controller, createApp, Get, Post, Query } from 'thereafter';
import { Type } from 'typebox';

@Controller()
class Quickstart {
  @Get('/')
  hello() {
    return { hello: 'world' };
  }

  @Post('/remind')
  remind(@Query('what', Type.String({ minLength: 1 })) what: string, tasks: BackgroundTasks) {
    tasks.add(remember, what); // runs when the response is out
    return { message: 'You will be reminded' };
  }
}

function remember(what: string) {
  console.log(`Remember: ${what}`);
}

await createApp({ title: 'Quickstart' }).include(Quickstart).run();
