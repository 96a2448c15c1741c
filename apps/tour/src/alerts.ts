import { Controller, Get, Injectable, type TaskFailure } from 'thereafter';

/** A task has failed, and somebody should look. */
export interface Alert {
  readonly at: string;
  readonly task: string;
  readonly requestId: string | undefined;
  /** What went wrong. Everybody may see it here; in a service of yours, that is for its operators. */
  readonly error: string;
}

const MAX_ALERTS = 100;

/** Keeps the latest alerts. A service of yours would page somebody, or send a mail. */
@Injectable()
export class Alerts {
  readonly #alerts: Alert[] = [];

  /** Is told of tasks that fail by `onTaskError`. */
  readonly raise = (error: unknown, { taskName, requestId }: TaskFailure): void => {
    const at = new Date().toISOString();
    this.#alerts.push({ at, task: taskName, requestId, error: String(error) });
    if (this.#alerts.length > MAX_ALERTS) this.#alerts.shift();
  };

  /** The oldest first. */
  get latest(): readonly Alert[] {
    return this.#alerts;
  }
}

/** Shows them. */
@Controller('/alerts')
export class AlertsController {
  constructor(private readonly alerts: Alerts) {}

  @Get('/')
  list() {
    return this.alerts.latest;
  }
}
