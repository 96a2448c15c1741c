import { timingSafeEqual } from 'node:crypto';
import { adminConsole } from '@thereafter/console';
import { createApp, Unauthorized, type App, type AppOptions, type Context } from 'thereafter';

/** Makes a browser ask for name and password. */
class SignIn extends Unauthorized {
  override readonly headers = { 'www-authenticate': 'Basic realm="console"' };
}

function hasPassword({ headers }: Context, password: string): boolean {
  const expected = Buffer.from(`Basic ${btoa(`operator:${password}`)}`);
  const given = Buffer.from(headers.authorization ?? '');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

export function shop(password: string, options: AppOptions = {}): App {
  return createApp({ title: 'Shop', ...options }).include(
    adminConsole({
      title: 'Shop',
      authorize(ctx) {
        if (!hasPassword(ctx, password)) throw new SignIn('This is for operators.');
        return true;
      },
    }),
  );
}
