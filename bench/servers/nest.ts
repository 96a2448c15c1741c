import 'reflect-metadata';
import {
  Body,
  Controller,
  Get,
  Injectable,
  Module,
  Param,
  Post,
  Query,
  Res,
  Scope,
  SerializeOptions,
  StandardSchemaSerializerInterceptor,
  StandardSchemaValidationPipe,
  type Type,
} from '@nestjs/common';
import { NestFactory, Reflector } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import * as work from './work.ts';
import { ListedUser, Listing, NewUser, User, UserId } from './zod-schemas.ts';

@Injectable({ scope: Scope.REQUEST })
class Clock extends work.Clock {}

@Injectable({ scope: Scope.REQUEST })
class Ids extends work.Ids {}

@Injectable({ scope: Scope.REQUEST })
class Users extends work.Users {
  constructor(ids: Ids) {
    super(ids);
  }
}

@Injectable({ scope: Scope.REQUEST })
class Audit extends work.Audit {
  constructor(clock: Clock) {
    super(clock);
  }
}

@Injectable({ scope: Scope.REQUEST })
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

  @Get('/users/:id')
  @SerializeOptions({ schema: ListedUser })
  user(
    @Param({ schema: UserId }) params: { id: number },
    @Query({ schema: Listing }) listing: work.Listing,
  ) {
    return work.findUser(params.id, listing);
  }

  @Post('/users')
  @SerializeOptions({ schema: User })
  create(@Body({ schema: NewUser }) user: work.NewUser) {
    return work.storeUser(user);
  }

  @Post('/bg')
  @SerializeOptions({ schema: User })
  createWithTasks(
    @Body({ schema: NewUser }) newUser: work.NewUser,
    @Res({ passthrough: true }) reply: { raw: NodeJS.EventEmitter },
  ) {
    const user = work.storeUser(newUser);
    reply.raw.once('finish', () => {
      void runTasks([
        () => work.sendWelcome(user.email),
        () => work.indexUser(user.id, user.name),
        () => work.countSignup(),
      ]);
    });
    return user;
  }

  @Get('/done')
  done() {
    return work.tally;
  }
}

/** Apart, because a request-scoped dependency makes its controller request-scoped. */
@Controller()
class InjectController {
  constructor(private readonly signup: Signup) {}

  @Post('/inject')
  @SerializeOptions({ schema: User })
  create(@Body({ schema: NewUser }) user: work.NewUser) {
    return this.signup.create(user);
  }
}

async function runTasks(tasks: readonly (() => unknown)[]): Promise<void> {
  for (const task of tasks) await task();
}

function thingController(route: number): Type {
  @Controller()
  class ThingController {
    @Get(`/things/${route}/:id`)
    thing(@Param('id') id: string) {
      return { route, id };
    }
  }
  return ThingController;
}

@Module({
  controllers: [
    BenchController,
    InjectController,
    ...Array.from({ length: work.routeCount }, (_, route) => thingController(route)),
  ],
  providers: [Clock, Ids, Users, Audit, Signup],
})
class BenchModule {}

const app = await NestFactory.create<NestFastifyApplication>(
  BenchModule,
  new FastifyAdapter({ logger: false }),
  { logger: false },
);
app.useGlobalPipes(new StandardSchemaValidationPipe());
app.useGlobalInterceptors(new StandardSchemaSerializerInterceptor(app.get(Reflector)));
await app.listen(work.port);
