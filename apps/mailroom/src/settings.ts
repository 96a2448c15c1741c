import { config } from 'thereafter';
import { Type, type Static } from 'typebox';

const schema = Type.Object({
  /** The mail server, e.g. `smtp://localhost:25`; default: the one that the web process opens. */
  SMTP_URL: Type.String({ format: 'uri', default: 'smtp://127.0.0.1:2525' }),
  MAIL_FROM: Type.String({ default: 'mailroom@example.com' }),
  /** What of it was sent; beside the jobs, unless those are on Redis. */
  DELIVERIES_FILE: Type.String({ default: 'data/deliveries.db' }),
  REDIS_URL: Type.Optional(Type.String({ format: 'uri' })),
});

export type Settings = Static<typeof schema>;

/** What web and worker processes take from the environment. Nothing has to be set. */
export const Settings = config(schema);
