import { Body, Controller, createApp, Get, Path, Put, Query } from 'thereafter';
import { Type, type Static } from 'typebox';

const Item = Type.Object({
  name: Type.String(),
  price: Type.Number({ exclusiveMinimum: 0 }),
  isOffer: Type.Optional(Type.Boolean()),
});
type Item = Static<typeof Item>;

const ItemName = Type.Object({ id: Type.Integer(), name: Type.String() });

@Controller('/items', { tags: ['items'] })
class ItemsController {
  @Get('/:id')
  read(
    @Path('id', Type.Integer()) id: number,
    @Query('q', Type.Optional(Type.String())) q: string | undefined,
  ) {
    return { id, q: q ?? null };
  }

  @Put('/:id', { response: ItemName })
  update(@Path('id', Type.Integer()) id: number, @Body(Item) item: Item) {
    return { id, ...item };
  }
}

await createApp().include('/api', ItemsController).run();
