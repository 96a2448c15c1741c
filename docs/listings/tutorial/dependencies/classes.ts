import { Controller, createApp, Get, Injectable } from 'thereafter';

@Injectable()
class Clock {
  now() {
    return new Date();
  }
}

@Injectable()
class Greeter {
  constructor(private readonly clock: Clock) {}

  greet() {
    return `Hello, it is ${this.clock.now().toISOString()}`;
  }
}

@Controller('/greeting')
class GreetingController {
  constructor(private readonly greeter: Greeter) {}

  @Get('/')
  show() {
    return { greeting: this.greeter.greet() };
  }
}

await createApp().include(GreetingController).run();
