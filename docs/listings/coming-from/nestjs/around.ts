import {
  Controller,
  createApp,
  dependency,
  Depends,
  Forbidden,
  Get,
  header,
  type Middleware,
} from 'thereafter';
import { Type } from 'typebox';

/** A pipe that turns a header into a list, and a custom parameter decorator, in one. */
const roles = dependency({ roles: header('x-roles', Type.Array(Type.String())) }, (v) => v.roles);

/** A guard with a parameter. */
const requires = (role: string) =>
  dependency({ roles }, (v) => {
    if (!v.roles.includes(role)) throw new Forbidden(`Only for the role ${role}.`);
  });

/** An interceptor. */
const timed: Middleware = async (ctx, next) => {
  const startedAtMs = performance.now();
  const reply = await next();
  ctx.log.info({ elapsedMs: performance.now() - startedAtMs }, 'timed');
  return reply;
};

/** What an exception filter is for. */
class TooManyCats extends Error {}

@Controller('/cats', { use: [timed] })
class CatsController {
  @Get('/', { use: [requires('admin')] })
  findAll(@Depends(roles) mine: readonly string[]) {
    if (mine.includes('collector')) throw new TooManyCats();
    return mine;
  }
}

await createApp()
  .include(CatsController)
  .onError(TooManyCats, () => new Forbidden('Leave some for the others.'))
  .run();
