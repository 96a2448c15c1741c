import { createApp } from 'thereafter';
// #region use
import { Counter } from 'prom-client';
import { metrics } from 'thereafter/metrics';
// #endregion

export const app = createApp();

// #region use
const orders = new Counter({ name: 'shop_orders', help: 'Orders that were placed.' });

app.use(metrics());
app.post('/orders', () => orders.inc());
// #endregion
