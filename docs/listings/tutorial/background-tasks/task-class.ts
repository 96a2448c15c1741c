import {
  BackgroundTasks,
  Body,
  Controller,
  createApp,
  Injectable,
  Post,
  Task,
  type JobContext,
} from 'thereafter';
import { Type, type Static } from 'typebox';

@Injectable()
class Mailer {
  async send(to: string, text: string, signal: AbortSignal) {
    signal.throwIfAborted();
    console.log(`to ${to}: ${text}`);
  }
}

const Receipt = Type.Object({ email: Type.String(), orderId: Type.Integer() });
type Receipt = Static<typeof Receipt>;

@Task(Receipt, { timeout: '30s' })
class SendReceipt {
  constructor(private readonly mailer: Mailer) {}

  async run({ email, orderId }: Receipt, job: JobContext) {
    await this.mailer.send(email, `order ${orderId} is on its way`, job.signal);
  }
}

@Controller('/orders')
class OrdersController {
  @Post('/')
  order(@Body(Receipt) receipt: Receipt, tasks: BackgroundTasks) {
    tasks.add(SendReceipt, receipt);
    return { ordered: receipt.orderId };
  }
}

await createApp().include(OrdersController, SendReceipt).run();
