import { createApp } from 'thereafter';
import { Counter } from 'prom-client';
import { metrics } from 'thereafter/metrics';
import { QUIET } from '../../support/serve.ts';

export const app = createApp(QUIET);

const orders = new Counter({ name: 'shop_orders', help: 'Orders that were placed.' });

app.use(metrics());
app.post('/orders', () => orders.inc());
