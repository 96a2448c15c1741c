import { BackgroundTasks, Body, Context, Controller, dependency, Depends, Post } from 'thereafter';
import { NewUser, User } from './schemas.js';
import { UserRepo } from './users.js';
import { SendWelcome } from './task.js';

async function touch(path: string, at: number) {
  console.log('touched', path, at);
}

// In a dependency: whoever uses it gets the task added, after a successful response.
export const trackVisit = dependency({ ctx: Context, tasks: BackgroundTasks }, ({ ctx, tasks }) => {
  tasks.add(touch, ctx.url.pathname, Date.now());
});

@Controller('/signup', { use: [trackVisit] })
export class SignupController {
  constructor(private users: UserRepo) {}

  @Post('/', { response: User, status: 201 })
  async signup(@Body(NewUser) body: NewUser, tasks: BackgroundTasks) {
    // injected by type, as in FastAPI
    const user = await this.users.insert(body);
    tasks.add(SendWelcome, { userId: user.id }); // payload type is checked against the task class
    return user;
  }
}
