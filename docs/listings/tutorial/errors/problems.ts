import { Controller, createApp, Get, NotFound, Path, Post, Problem, Query } from 'thereafter';
import { Type } from 'typebox';

class OutOfStock extends Problem.define({
  type: '/problems/out-of-stock',
  status: 409,
  title: 'Out of stock',
  extension: Type.Object({ left: Type.Integer() }),
}) {}

@Controller('/books')
class BooksController {
  private readonly stock = new Map([[1, 3]]);

  @Get('/:id', { errors: [NotFound] })
  one(@Path('id', Type.Integer()) id: number) {
    const left = this.stock.get(id);
    if (left === undefined) throw new NotFound(`There is no book ${id}.`);
    return { id, left };
  }

  @Post('/:id/orders', { errors: [OutOfStock] })
  order(
    @Path('id', Type.Integer()) id: number,
    @Query('copies', Type.Integer({ minimum: 1 })) copies: number,
  ) {
    const left = this.stock.get(id) ?? 0;
    if (left < copies) throw new OutOfStock({ left }, `${copies} copies are too many.`);
    this.stock.set(id, left - copies);
    return { ordered: copies };
  }
}

await createApp().include(BooksController).run();
