import {
  Controller,
  Context,
  Depends,
  dependency,
  Get,
  header,
  Injectable,
  Unauthorized,
} from 'thereafter';
import { Type } from 'typebox';
import { User } from './schemas.js';
import { UserRepo } from './users.js';

@Injectable()
export class Sessions {
  async userId(token: string): Promise<number | undefined> {
    return token === 'Bearer demo' ? 1 : undefined;
  }
}

// A function dependency: a record of what it needs, then a function of that record. All types are inferred.
export const currentUser = dependency(
  { auth: header('authorization', Type.String()), sessions: Sessions, users: UserRepo },
  async ({ auth, sessions, users }): Promise<User> => {
    const id = await sessions.userId(auth);
    const user = id === undefined ? undefined : await users.find(id);
    if (!user) throw new Unauthorized();
    return user;
  },
);

// A dependency made from another one, and a parameterised guard.
export const requireName = (name: string) =>
  dependency({ user: currentUser }, ({ user }) => {
    if (user.name !== name) throw new Unauthorized();
  });

@Controller('/me')
export class MeController {
  @Get('/', { response: User })
  me(@Depends(currentUser) user: User) {
    return user;
  }

  @Get('/secret', { use: [requireName('root')] })
  secret(ctx: Context) {
    ctx.log.info('secret read');
    return { ok: true };
  } // undecorated: injected by type
}
