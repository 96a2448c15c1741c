import { Controller, createApp, Path, Post, Problem } from 'thereafter';
import { Type } from 'typebox';

export class OutOfStock extends Problem.define({
  type: '/problems/out-of-stock',
  status: 409,
  title: 'Out of stock',
  extension: Type.Object({ available: Type.Integer() }),
}) {}

class DriverError extends Error {
  code = '23505';
}
class Duplicate extends Problem.define({
  type: '/problems/duplicate',
  status: 409,
  title: 'Already exists',
  extension: Type.Object({}),
}) {}

@Controller('/cart')
export class CartController {
  @Post('/:sku', { errors: [OutOfStock] }) // documented in OpenAPI as application/problem+json
  add(@Path('sku', Type.String()) sku: string) {
    if (sku === 'none') throw new OutOfStock({ available: 0 }, `no ${sku} left`);
    return { ok: true };
  }
}
export const app = createApp()
  .include(CartController)
  .onError(DriverError, (e) => (e.code === '23505' ? new Duplicate({}) : new Problem(e.message)));
