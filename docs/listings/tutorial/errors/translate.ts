import { Conflict, Controller, createApp, Post, Query, ServiceUnavailable } from 'thereafter';
import { Type } from 'typebox';

/** As a database driver throws them: it knows nothing of HTTP. */
class DatabaseError extends Error {
  constructor(readonly code: 'duplicate' | 'unreachable') {
    super(`the database says: ${code}, password=hunter2`);
  }
}

@Controller('/users')
class UsersController {
  @Post('/')
  create(@Query('name', Type.String()) name: string) {
    if (name === 'ada') throw new DatabaseError('duplicate');
    if (name === 'bob') throw new DatabaseError('unreachable');
    throw new TypeError(`${name} is not a name`);
  }
}

await createApp()
  .include(UsersController)
  .onError(DatabaseError, (error) =>
    error.code === 'duplicate'
      ? new Conflict('This name is taken.')
      : new ServiceUnavailable('Try again in a minute.'),
  )
  .run();
