import { defineTask } from 'thereafter';
import { NotRetryable, Snooze } from '@thereafter/queue';
import { Type } from 'typebox';

/** Stands for a payment service. */
export const bank = { answers: [] as string[] };

export const charge = defineTask(
  {
    name: 'charge',
    payload: Type.Object({ orderId: Type.String() }),
    durable: true,
    attempts: 4,
    backoff: { type: 'exponential', delay: '20ms', max: '1m', jitter: 0.5 },
    timeout: '30s', // of each attempt
  },
  ({ payload }) => {
    const answer = bank.answers.shift();
    if (answer === 'stolen') throw new NotRetryable('the card was stolen');
    if (answer === 'closed') throw new Snooze('30ms'); // comes back; not counted as an attempt
    if (answer === 'busy') throw Object.assign(new Error('busy'), { retryAfterMs: 10 });
    if (answer === 'down') throw new Error('no connection'); // retried, as the backoff says
    return `${payload.orderId} is paid`;
  },
);
