import { BackgroundTasks, Controller, Post, Query } from 'thereafter';
import { Type, type Static } from 'typebox';
import { LogFile } from './log-file.ts';

const NewUser = Type.Object({ email: Type.String(), user_id: Type.Integer() });
type NewUser = Static<typeof NewUser>;

/** Several tasks: they run one at a time, in the order in which they were added. */
@Controller('/users')
export class UsersController {
  constructor(private readonly log: LogFile) {}

  @Post('/')
  create(@Query(NewUser) user: NewUser, tasks: BackgroundTasks) {
    const { append } = this.log;
    tasks.with({ name: 'writeLog' }).add(append, `log ${user.email}`);
    tasks.with({ name: 'sendEmail' }).add(append, `email ${user.email} Welcome!`);
    tasks.with({ name: 'updateStats' }).add(append, `stats ${user.user_id}`);
    return { message: 'User created' };
  }
}
