import { createApp, query, redirect } from 'thereafter';
import { Type } from 'typebox';
import { QUIET } from '../../support/serve.ts';

export const app = createApp(QUIET);

app.get('/login', { in: { next: query('next', Type.String()) } }, ({ next }) => redirect(next));
