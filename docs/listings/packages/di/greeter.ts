import { createContainer, Injectable } from '@thereafter/di';

@Injectable()
class Clock {
  now() {
    return new Date();
  }
}

@Injectable({ scope: 'request' })
class Greeter {
  constructor(private readonly clock: Clock) {}
  greet() {
    return `Good ${this.clock.now().getHours() < 12 ? 'morning' : 'day'}`;
  }
}

await using container = createContainer();
await container.start();
await using scope = container.openScope();
console.log((await scope.get(Greeter)).greet());
