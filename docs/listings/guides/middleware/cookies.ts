import { createApp } from 'thereafter';
// #region use
import { getCookie, setCookie, signedCookies } from 'thereafter/cookies';
// #endregion

export const app = createApp();

// #region use
const keys = ['the key that signs, of 32 characters', 'the key before it, of 32 characters'];
const signed = signedCookies(keys);

app.post('/theme', ({ ctx }) => setCookie(ctx, 'theme', 'dark', { maxAge: '365d' }));
app.get('/theme', ({ ctx }) => getCookie(ctx, 'theme') ?? 'light');
app.post('/login', ({ ctx }) => signed.set(ctx, '__Host-user', '7'));
app.get('/me', ({ ctx }) => signed.get(ctx, '__Host-user') ?? 'nobody');
// #endregion
