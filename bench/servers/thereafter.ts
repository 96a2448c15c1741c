import {
  BackgroundTasks,
  Body,
  Controller,
  createApp,
  Get,
  Injectable,
  Path,
  path,
  Post,
  Query,
} from 'thereafter';
import { Type } from 'typebox';
import { ListedUser, Listing, NewUser, Thing, User, UserId } from './json-schemas.ts';
import * as work from './work.ts';

@Injectable({ scope: 'request' })
class Clock extends work.Clock {}

@Injectable({ scope: 'request' })
class Ids extends work.Ids {}

@Injectable({ scope: 'request' })
class Users extends work.Users {
  constructor(ids: Ids) {
    super(ids);
  }
}

@Injectable({ scope: 'request' })
class Audit extends work.Audit {
  constructor(clock: Clock) {
    super(clock);
  }
}

@Injectable({ scope: 'request' })
class Signup extends work.Signup {
  constructor(users: Users, audit: Audit) {
    super(users, audit);
  }
}

@Controller()
class BenchController {
  @Get('/hello')
  hello() {
    return { message: 'hello' };
  }

  @Get('/users/:id', { response: ListedUser })
  user(@Path('id', UserId) id: number, @Query(Listing) listing: work.Listing) {
    return work.findUser(id, listing);
  }

  @Post('/users', { status: 201, response: User })
  create(@Body(NewUser) user: work.NewUser) {
    return work.storeUser(user);
  }

  @Post('/inject', { status: 201, response: User })
  createInjected(@Body(NewUser) user: work.NewUser, signup: Signup) {
    return signup.create(user);
  }

  @Post('/bg', { status: 201, response: User })
  createWithTasks(@Body(NewUser) newUser: work.NewUser, tasks: BackgroundTasks) {
    const user = work.storeUser(newUser);
    tasks.add(work.sendWelcome, user.email);
    tasks.add(work.indexUser, user.id, user.name);
    tasks.add(work.countSignup);
    return user;
  }

  @Get('/done')
  done() {
    return work.tally;
  }
}

// Ten thousand connections of the load, and one of who looks whether it is there.
const limits = { maxConnections: 10_001 };

const app = createApp({ logger: false, limits }).include(BenchController);
for (let route = 0; route < work.routeCount; route++) {
  app.get(
    `/things/${route}/:id`,
    { in: { id: path('id', Type.String()) }, response: Thing },
    ({ id }) => ({ route, id }),
  );
}
await app.listen({ port: work.port });
