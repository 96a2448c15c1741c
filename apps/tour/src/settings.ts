import { config } from 'thereafter';
import { Type, type Static } from 'typebox';

const schema = Type.Object({
  /** Where the tasks leave their lines. */
  LOG_FILE: Type.String({ default: 'data/tour.log' }),
  /** Where compressed images go. */
  PROCESSED_DIR: Type.String({ default: 'data/processed' }),
  /** The mail server, e.g. `smtp://localhost:25`; default: one in this process. */
  SMTP_URL: Type.Optional(Type.String({ format: 'uri' })),
  MAIL_FROM: Type.String({ default: 'tour@example.com' }),
  /** How long a heavy task takes. */
  DURATION_MS: Type.Integer({ minimum: 0, default: 5000 }),
  /** The cache and the jobs, e.g. `redis://localhost:6379`; default: a cache in this process, jobs in a file. */
  REDIS_URL: Type.Optional(Type.String({ format: 'uri' })),
  /** The service that knows the users; default: the tour itself, at `/upstream`. */
  UPSTREAM_URL: Type.Optional(Type.String({ format: 'uri' })),
});

export type Settings = Static<typeof schema>;

/** What the tour takes from the environment. Nothing has to be set. */
export const Settings = config(schema);
