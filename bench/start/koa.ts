import Router from '@koa/router';
import Koa from 'koa';

const router = new Router();
router.get('/hello', (ctx) => {
  ctx.body = { message: 'hello' };
});
new Koa().use(router.routes()).listen(Number(process.env['PORT']));
