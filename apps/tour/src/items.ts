import { BackgroundTasks, Controller, dependency, Depends, Get } from 'thereafter';
import { LogFile } from './log-file.ts';

interface User {
  readonly id: number;
}

/** A dependency may add tasks too: whoever asks for the user leaves a line in the access log. */
const currentUser = dependency({ tasks: BackgroundTasks, log: LogFile }, ({ tasks, log }): User => {
  const user = { id: 123 };
  tasks.with({ name: 'logAccess' }).add(log.append, `access ${user.id}`);
  return user;
});

@Controller('/items')
export class ItemsController {
  @Get('/')
  list(@Depends(currentUser) user: User) {
    return { user_id: user.id, items: [] };
  }
}
