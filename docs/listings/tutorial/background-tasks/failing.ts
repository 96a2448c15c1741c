import { BackgroundTasks, Controller, createApp, Post } from 'thereafter';

@Controller('/orders')
class OrdersController {
  @Post('/')
  order(tasks: BackgroundTasks) {
    tasks.add(printReceipt);
    tasks.add(tellWarehouse);
    return { ordered: true };
  }

  @Post('/sold-out')
  soldOut(tasks: BackgroundTasks) {
    tasks.add(tellWarehouse);
    tasks.with({ on: 'error' }).add(tellPurchasing);
    throw new Error('nothing left');
  }
}

function printReceipt() {
  throw new Error('the printer is on fire');
}

function tellWarehouse() {
  console.log('the warehouse knows');
}

function tellPurchasing() {
  console.log('purchasing knows');
}

await createApp()
  .include(OrdersController)
  .onTaskError((error, { taskName }) => console.log(`${taskName} failed: ${String(error)}`))
  .run();
