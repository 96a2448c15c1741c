import { type Context } from 'thereafter';

export const ran: string[] = [];

export function order({ ctx }: { ctx: Context }): { ordered: true } {
  const note = (what: string): void => void ran.push(what);

  ctx.tasks.add(note, 'the handler returned'); // on: 'return'
  ctx.tasks.with({ on: 'sent' }).add(note, 'the client was given the answer');
  ctx.tasks.with({ on: 'error' }).add(note, 'the handler threw');
  ctx.tasks.with({ on: 'always' }).add(note, 'whatever happened');

  if (ctx.query['fail']) throw new Error('out of stock');
  return { ordered: true };
}
