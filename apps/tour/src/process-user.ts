import { setTimeout as delay } from 'node:timers/promises';
import { BackgroundTasks, Controller, Get, HttpClient, Path, taskSignal } from 'thereafter';
import { Type } from 'typebox';
import { LogFile } from './log-file.ts';
import { Upstream, UpstreamUser } from './upstream.ts';

/** An asynchronous task: it waits for another service and for a second, and nobody waits for it. */
@Controller('/process-user')
export class ProcessUserController {
  constructor(
    private readonly http: HttpClient,
    private readonly upstream: Upstream,
    private readonly log: LogFile,
  ) {}

  @Get('/:user_id')
  process(@Path('user_id', Type.Integer()) userId: number, tasks: BackgroundTasks) {
    tasks.add(this.processUser, userId);
    return { message: 'Processing user data' };
  }

  private readonly processUser = async (userId: number): Promise<void> => {
    const signal = taskSignal(); // aborts when the app may wait no longer
    const { name } = await this.http.json(`${this.upstream.url}/users/${userId}`, {
      schema: UpstreamUser,
      signal,
    });
    await delay(1000, undefined, { signal });
    await this.log.append(`processed ${userId} ${name}`);
  };
}
