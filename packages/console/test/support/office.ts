import { Jobs, jobs } from '@thereafter/queue';
import { memory } from '@thereafter/queue/testing';
import {
  BackgroundTasks,
  Controller,
  createApp,
  defineTask,
  Post,
  Query,
  type App,
  type AppOptions,
  type Context,
} from 'thereafter';
import { Type } from 'typebox';
import { adminConsole, type ConsoleOptions } from '../../src/index.ts';

/** What the printer does with its next jobs; it prints when nothing is said. */
export class Printer {
  readonly answers: ('jam' | 'hang')[] = [];
  readonly printed: string[] = [];
}

export const print = defineTask(
  {
    name: 'print-report',
    payload: Type.Object({ title: Type.String(), html: Type.Optional(Type.String()) }),
    durable: true,
    attempts: 1,
    in: { to: Printer },
  },
  async ({ payload, job, to }) => {
    const answer = to.answers.shift();
    if (answer === 'jam')
      throw new Error(`paper jam at <img src=x onerror="alert(1)"> ${payload.title}`);
    if (answer === 'hang') {
      await job.progress(0.4);
      await new Promise<void>((_, reject) => {
        job.signal.addEventListener('abort', () => reject(job.signal.reason as Error));
      });
    }
    to.printed.push(payload.title);
    return { pages: 2 };
  },
);

const nightly = defineTask(
  {
    name: 'nightly-report',
    payload: Type.Object({}),
    durable: true,
    queue: 'reports',
    cron: '0 3 * * *',
  },
  () => undefined,
);

@Controller('/office')
class Office {
  @Post('/notify')
  notify(tasks: BackgroundTasks, @Query('name', Type.String()) name: string) {
    tasks.add(greet, name);
  }

  @Post('/print')
  print(tasks: BackgroundTasks, @Query('title', Type.String()) title: string) {
    tasks.add(print, { title });
  }
}

function greet(name: string): void {
  if (name.startsWith('bad'))
    throw new Error(`cannot greet '${name}'`, { cause: new Error('shy') });
}

/** An office on a free port, whose console everybody may see unless it is said otherwise. */
export interface ServedOffice extends AsyncDisposable {
  readonly app: App;
  readonly url: string;
  readonly jobs: Jobs;
  readonly printer: Printer;
  /** Asks for a path of the console with JSON headers. */
  ask(method: string, path: string, headers?: Record<string, string>): Promise<Response>;
  json(path: string): Promise<never>;
}

interface OfficeOptions extends AppOptions {
  readonly console?: Partial<ConsoleOptions>;
  readonly prefix?: string;
  readonly extend?: (app: App) => void;
}

export async function serveOffice(options: OfficeOptions = {}): Promise<ServedOffice> {
  const { console: consoleOptions, prefix = '', extend, ...appOptions } = options;
  const app = createApp({
    logger: false,
    shutdown: { signals: false },
    jobs: jobs({ driver: memory(), worker: { concurrency: 4 } }),
    ...appOptions,
  });
  const made = new Printer();
  let found: Jobs | undefined;
  app
    .provide(Printer, { value: made })
    .include(Office, print, nightly)
    .include(prefix, adminConsole({ authorize: () => true, ...consoleOptions }))
    .get('/jobs-of-test', { in: { found: Jobs } }, (values) => void (found = values.found));
  extend?.(app);
  const { url } = await app.listen({ port: 0, host: '127.0.0.1' });
  await fetch(`${url}/jobs-of-test`);
  const base = `${url}${prefix}${consoleOptions?.path ?? '/console'}`;
  const ask: ServedOffice['ask'] = (method, path, headers = {}) =>
    fetch(`${base}${path}`, { method, headers, redirect: 'manual' });
  return {
    app,
    url,
    jobs: found!, // it was asked for
    printer: made,
    ask,
    json: async (path) => (await (await ask('GET', path)).json()) as never, // compared by the tests
    [Symbol.asyncDispose]: async () => void (await app.close({ drainTimeout: '0s' })),
  };
}

/** A context of which only its headers and address matter. */
export function contextOf(clientAddress: string, headers: Context['headers']): Context {
  return { clientAddress, headers } as Context; // all that is read
}
