import { Controller, dependency, Depends, Injectable, Post } from 'thereafter';

@Injectable()
export class Pool implements AsyncDisposable {
  async connect() {
    return new Tx();
  }
  async [Symbol.asyncDispose]() {
    /* closed last, when the app stops */
  }
}
export class Tx {
  async query(_: string) {}
  async commit() {}
  async rollback() {}
  release() {}
}

export const tx = dependency(
  { pool: Pool },
  async function* ({ pool }): AsyncGenerator<Tx, void> {
    const t = await pool.connect();
    try {
      yield t; // the handler runs here
      await t.commit(); // after it returned, before the response is sent, because of the 'handler' scope
    } catch (e) {
      await t.rollback(); // the handler's error arrives here, and must be thrown again
      throw e;
    } finally {
      t.release();
    }
  },
  { scope: 'handler' },
);

@Controller('/orders')
export class OrdersController {
  @Post('/')
  async create(@Depends(tx) t: Tx) {
    await t.query('insert ...');
    return { ok: true };
  }
}
