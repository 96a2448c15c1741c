import { createApp, dependency, Injectable, token, type App, type AppOptions } from 'thereafter';

interface Clock {
  now(): Date;
}
const Clock = token<Clock>('Clock');

@Injectable()
class SystemClock implements Clock {
  now() {
    return new Date(0);
  }
}

const clockDependency = dependency({ system: SystemClock }, ({ system }) => system);

/** An app that answers with its time, and that says in three ways what its clock is. */
export function timeServer(options: AppOptions): App {
  const app = createApp(options).get('/', { in: { clock: Clock } }, ({ clock }) => ({
    year: clock.now().getUTCFullYear(),
  }));
  // #region provide
  app.provide(Clock, { value: { now: () => new Date() } }); // this very object; never ended by the container
  app.provide(Clock, { class: SystemClock }); // an instance of that class
  app.provide(Clock, { make: clockDependency }); // what a function dependency gives
  // #endregion
  return app;
}
