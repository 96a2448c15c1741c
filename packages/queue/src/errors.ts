import { ThereafterError } from '@thereafter/di';

/** Somebody cancelled the job while it ran. The reason of its signal. */
export class JobCancelledError extends ThereafterError {
  readonly code = 'JOB_CANCELLED';

  constructor(task: string, id: string) {
    super(
      `The job ${id} (${task}) was cancelled while it ran. End it soon: nobody wants its result.`,
    );
  }
}

/** The process ends before the job does. The reason of its signal. */
export class JobHandedBackError extends ThereafterError {
  readonly code = 'JOB_HANDED_BACK';

  constructor(task: string, id: string) {
    super(
      `The job ${id} (${task}) had not ended at the deadline of the shutdown. It is handed back, and runs ` +
        'again from its start elsewhere. Heed the signal, or raise shutdown.drainTimeout.',
    );
  }
}
