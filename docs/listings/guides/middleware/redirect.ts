import { createApp } from 'thereafter';
// #region use
import { query, redirect } from 'thereafter';
import { Type } from 'typebox';
// #endregion

export const app = createApp();

// #region use
app.get('/login', { in: { next: query('next', Type.String()) } }, ({ next }) => redirect(next));
// #endregion
