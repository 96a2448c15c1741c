import { Body, Controller, Get, NotFound, Path, Post, Query } from 'thereafter';
import { Type } from 'typebox';
import { NewUser, Page, User } from './schemas.js';
import { UserRepo } from './users.js';

@Controller('/users', { tags: ['users'] })
export class UsersController {
  constructor(private readonly users: UserRepo) {} // injected by type; no module, no registration

  @Get('/', { response: Type.Array(User) })
  list(@Query(Page) page: Page) {
    return this.users.list(page); // passwordHash never leaves: the response schema filters it
  }

  @Get('/:id', { response: User, errors: [NotFound] })
  async one(@Path('id', Type.Integer()) id: number) {
    const user = await this.users.find(id);
    if (!user) throw new NotFound(`no user ${id}`);
    return user;
  }

  @Post('/', { response: User, status: 201 })
  create(@Body(NewUser) user: NewUser) {
    return this.users.insert(user);
  }
}
