import {
  Controller,
  createApp,
  dependency,
  Depends,
  Forbidden,
  Get,
  header,
  Injectable,
  Unauthorized,
} from 'thereafter';
import { Type } from 'typebox';

interface User {
  readonly name: string;
  readonly isAdmin: boolean;
}

@Injectable()
class Sessions {
  private readonly users = new Map<string, User>([
    ['Bearer ada', { name: 'Ada', isAdmin: true }],
    ['Bearer bob', { name: 'Bob', isAdmin: false }],
  ]);

  find(token: string) {
    return this.users.get(token);
  }
}

const currentUser = dependency(
  { token: header('authorization', Type.String({ default: '' })), sessions: Sessions },
  ({ token, sessions }) => {
    const user = sessions.find(token);
    if (!user) throw new Unauthorized('Sign in first.');
    return user;
  },
);

const admin = dependency({ user: currentUser }, ({ user }) => {
  if (!user.isAdmin) throw new Forbidden('Only for administrators.');
});

@Controller('/account')
class AccountController {
  @Get('/')
  show(@Depends(currentUser) user: User) {
    return { name: user.name };
  }

  @Get('/users', { use: [admin] })
  list() {
    return ['Ada', 'Bob'];
  }
}

await createApp().include(AccountController).run();
