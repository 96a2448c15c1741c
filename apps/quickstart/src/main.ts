import { BackgroundTasks, Controller, createApp, Get, ListenError, Post, Query } from 'thereafter';
import { Type, type Static } from 'typebox';

const Greeting = Type.Object({
  name: Type.String({ minLength: 1 }),
  times: Type.Integer({ default: 1, minimum: 1, maximum: 5 }),
});
type Greeting = Static<typeof Greeting>;

@Controller()
class QuickstartController {
  @Get('/')
  hello() {
    return { hello: 'world' };
  }

  @Get('/greet')
  greet(@Query(Greeting) { name, times }: Greeting) {
    return { text: `Hi ${name}! `.repeat(times).trim() };
  }

  @Post('/remind')
  remind(@Query('what', Type.String()) what: string, tasks: BackgroundTasks) {
    tasks.add(console.log, `Remember: ${what}`); // runs when the response is out
    return { message: 'You will be reminded' };
  }
}

try {
  const { url } = await createApp({ title: 'Quickstart' }).include(QuickstartController).listen();
  console.log(`Try: curl -X POST '${url}/remind?what=milk'`);
} catch (error) {
  if (!(error instanceof ListenError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
