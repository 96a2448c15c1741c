import { Body, Controller, createApp, Get, Injectable, Post } from 'thereafter';
import { Type, type Static } from 'typebox';

const Cat = Type.Object({ name: Type.String({ minLength: 1 }), age: Type.Integer({ minimum: 0 }) });
type Cat = Static<typeof Cat>;

@Injectable()
class CatsService {
  private readonly cats: Cat[] = [];

  create(cat: Cat) {
    this.cats.push(cat);
  }

  findAll() {
    return this.cats;
  }
}

@Controller('/cats')
class CatsController {
  constructor(private readonly cats: CatsService) {}

  @Post('/', { status: 201 })
  create(@Body(Cat) cat: Cat) {
    this.cats.create(cat);
    return cat;
  }

  @Get('/', { response: Type.Array(Cat) })
  findAll() {
    return this.cats.findAll();
  }
}

await createApp().include(CatsController).run();
