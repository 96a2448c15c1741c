import { once } from 'node:events';
import { createApp, defineTask, inThread, taskSignal, type BackgroundTasks } from 'thereafter';
import { Type } from 'typebox';
import { codePrintedBy, faultOf, listen, preload, thrownBy, type Programs } from './programs.ts';
import { QUIET } from '../support/quiet.ts';

const THREADS = new URL('./threads.js', import.meta.url);

const resize = defineTask(
  { name: 'resize', payload: Type.Object({ width: Type.Integer() }) },
  () => undefined,
);

/** What a handler gets that does something with its tasks. */
async function refusalOfAdding(add: (tasks: BackgroundTasks) => unknown, maxPending?: number) {
  let refusal: unknown;
  await using app = createApp({ ...QUIET, ...(maxPending && { tasks: { maxPending } }) })
    .include(resize)
    .get('/', async ({ ctx }) => {
      refusal = await thrownBy(() => add(ctx.tasks));
    });
  await fetch(await listen(app));
  return refusal;
}

/** What `onTaskError` is told of a task. */
async function toldOf(add: (tasks: BackgroundTasks) => unknown): Promise<unknown> {
  const told = Promise.withResolvers<unknown>();
  await using app = createApp({ ...QUIET, shutdown: { signals: false, drainTimeout: '0s' } })
    .onTaskError((error) => told.resolve(error))
    .get('/', ({ ctx }) => void add(ctx.tasks));
  await fetch(await listen(app));
  return await told.promise;
}

export const tasks: Programs = {
  async TASKS_CLOSED() {
    let late: BackgroundTasks | undefined;
    const app = createApp(QUIET).get('/', ({ ctx }) => void (late = ctx.tasks));
    await fetch(await listen(app));
    await app.close();
    return await thrownBy(() => late!.add(() => undefined));
  },

  TASKS_FULL: () =>
    refusalOfAdding((added) => {
      added.add(() => undefined);
      added.add(() => undefined);
    }, 1),

  async TASK_ABANDONED() {
    const begun = Promise.withResolvers<AbortSignal>();
    const app = createApp(QUIET).get('/', ({ ctx }) => {
      ctx.tasks.add(async () => {
        const signal = taskSignal();
        begun.resolve(signal);
        await once(signal, 'abort');
      });
    });
    await fetch(await listen(app));
    const signal = await begun.promise;
    await app.close({ drainTimeout: '0s' });
    return signal.reason;
  },

  TASK_NEEDS_ENGINE: () =>
    faultOf(
      createApp(QUIET).include(
        defineTask({ name: 'send', payload: Type.Object({}), durable: true }, () => undefined),
      ),
    ),

  TASK_PAYLOAD: () => refusalOfAdding((added) => added.add(resize, { width: 1.5 })),

  TASK_TIMEOUT: () =>
    toldOf((added) => added.with({ timeout: '1ms' }).add(() => new Promise(() => undefined))),

  THREAD_NO_FUNCTION: () => toldOf((added) => added.add(inThread(THREADS, 'nothing'))),

  THREAD_NO_POOL: () =>
    codePrintedBy(
      `
        import { createApp, inThread } from 'thereafter';
        const run = inThread(new URL(${JSON.stringify(THREADS.href)}), 'double');
        await using app = createApp({ logger: false })
          .onTaskError((error) => console.log(error.code))
          .get('/', ({ ctx }) => void ctx.tasks.add(run, 1));
        await fetch((await app.listen({ port: 0, host: '127.0.0.1' })).url);
      `,
      [
        preload(`
          import { registerHooks } from 'node:module';
          registerHooks({
            resolve(specifier, context, next) {
              if (specifier === 'piscina') throw new Error('It is not installed.');
              return next(specifier, context);
            },
          });
        `),
      ],
    ),

  THREAD_OUTSIDE_TASK: () => thrownBy(() => inThread(THREADS, 'double')(1 as never)),
};
