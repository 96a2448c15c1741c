import type { Container } from '@thereafter/di';
import { within, type JobEngine, type TaskRunner } from '@thereafter/tasks';
import type { InFlight } from './in-flight.ts';
import type { AppLog } from './log.ts';
import type { RunningServer } from './socket/server.ts';

/** What a started app consists of. */
export interface StartedApp {
  readonly server: RunningServer;
  /** Tells requests that the app is closing. */
  readonly stopping: AbortController;
  readonly inFlight: InFlight;
  readonly runner: TaskRunner;
  readonly jobs: JobEngine | undefined;
  /** In the order in which they began. */
  readonly lifespans: readonly AsyncGenerator<void, void>[];
  readonly container: Container;
  readonly log: AppLog;
}

/** What `close()` had to cut. */
export interface CloseResult {
  /** Names of the background tasks that had not ended at the deadline; empty when nothing was lost. */
  readonly abandoned: readonly string[];
}

/**
 * Ends an app: requests, then background tasks, then jobs, then lifespans and singletons. One deadline
 * holds for all of it.
 *
 * @param timeoutMs - Longest wait, from now.
 */
export async function closeApp(
  { server, stopping, inFlight, runner, jobs, lifespans, container, log }: StartedApp,
  timeoutMs: number,
): Promise<CloseResult> {
  const deadlineMs = performance.now() + timeoutMs;
  const remainingMs = (): number => Math.max(0, deadlineMs - performance.now());
  const stopped = server.stop();
  jobs?.quiet();
  stopping.abort(); // ends what would not end by itself: event streams
  // Not the same: a handler may still work for a client that has left.
  await within(remainingMs(), Promise.all([stopped, inFlight.idle()]));
  server.cut();
  const abandoned = await runner.close(remainingMs());
  const handedBack = await jobs?.close(remainingMs());
  await stopped;
  if (abandoned.length > 0) log.error({ abandoned }, 'background tasks were abandoned');
  if (handedBack?.length) log.info({ handedBack }, 'running jobs were handed back');

  await cleanUp({ lifespans, container, log }, remainingMs());
  return { abandoned };
}

/**
 * Ends an app that could not start: what had begun before the step that failed, in reverse order. Never
 * rejects.
 */
export async function abandonStart({
  jobs,
  ...rest
}: Omit<StartedApp, 'server' | 'stopping' | 'inFlight' | 'runner'>): Promise<void> {
  await jobs?.close(0); // what it claimed meanwhile goes back
  await cleanUp(rest, 0);
}

type CleanedUp = Pick<StartedApp, 'lifespans' | 'container' | 'log'>;

/** What fails while the app ends is logged, and stops nothing else from ending. */
async function cleanUp(
  { lifespans, container, log }: CleanedUp,
  remainingMs: number,
): Promise<void> {
  const survive = async (end: () => Promise<unknown>): Promise<void> => {
    try {
      await end();
    } catch (error) {
      log.error({ err: error }, 'clean-up at the end of the app failed');
    }
  };
  const endAll = async (): Promise<void> => {
    for (const lifespan of lifespans.toReversed()) await survive(() => lifespan.next());
    await survive(() => container.close());
  };
  const isEnded = await within(Math.max(GRACE_MS, remainingMs), endAll());
  if (!isEnded) log.error('clean-up at the end of the app took too long and was left');
}

/** What clean-up gets when the deadline has passed: enough to be fair, and bounded, since it may hang. */
const GRACE_MS = 400;
