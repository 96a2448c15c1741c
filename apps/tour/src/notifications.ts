import { BackgroundTasks, Controller, Path, Post } from 'thereafter';
import { Type } from 'typebox';
import { LogFile } from './log-file.ts';

/** The first example of the guide: answer, then write the notification. */
@Controller('/send-notification')
export class NotificationsController {
  constructor(private readonly log: LogFile) {}

  @Post('/:email')
  send(@Path('email', Type.String()) email: string, tasks: BackgroundTasks) {
    tasks.with({ name: 'writeNotification' }).add(this.log.append, `Notification sent to ${email}`);
    return { message: 'Notification is being sent' };
  }
}
