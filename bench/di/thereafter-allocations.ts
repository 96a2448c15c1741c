// One route three times: without a dependency, with one that lives as long as the app, and with one
// that lives for a request.
import { Controller, createApp, Get, Injectable } from 'thereafter';

@Injectable()
class Greeter {
  readonly greeting = { message: 'hello' };
}

@Injectable({ scope: 'request' })
class Visit {
  readonly greeting = { message: 'hello' };
}

@Controller()
class GreetingController {
  readonly #greeting = { message: 'hello' };

  @Get('/hello')
  none() {
    return this.#greeting;
  }

  @Get('/singl')
  singleton(greeter: Greeter) {
    return greeter.greeting;
  }

  @Get('/reque')
  request(visit: Visit) {
    return visit.greeting;
  }
}

await createApp({ logger: false })
  .include(GreetingController)
  .listen({ port: Number(process.env['PORT']) });
