import { createServer, type ServerResponse } from 'node:http';
import * as work from './work.ts';

type Task = () => unknown;

createServer((req, res) => {
  switch (req.url) {
    case '/hello':
      return sendJson(res, { message: 'hello' });
    case '/three':
      afterwards(res, [() => work.noop(1, 'a'), () => work.noop(2, 'b'), () => work.noop(3, 'c')]);
      return sendJson(res, { message: 'hello' });
    case '/many': {
      const tasks: Task[] = [];
      for (let i = 1; i < work.MANY; i++) tasks.push(() => work.noop(i, 'a'));
      tasks.push(() => work.markLast());
      afterwards(res, tasks);
      return sendJson(res, { message: 'hello' });
    }
    case '/hold': {
      const tasks: Task[] = [];
      work.closeGate();
      for (let i = 0; i < work.MANY; i++) tasks.push(() => work.waitAtGate());
      afterwards(res, tasks);
      return sendJson(res, { message: 'hello' });
    }
    case '/release':
      work.openGate();
      return sendJson(res, { message: 'hello' });
    case '/last':
      return void work.lastHasRun().then((done) => sendJson(res, done));
    default:
      res.writeHead(404).end();
  }
}).listen(work.port);

function afterwards(res: ServerResponse, tasks: readonly Task[]): void {
  res.once('finish', () => void runTasks(tasks));
}

async function runTasks(tasks: readonly Task[]): Promise<void> {
  for (const task of tasks) {
    try {
      await task();
    } catch (error) {
      console.error(error);
    }
  }
}

function sendJson(res: ServerResponse, value: unknown): void {
  const text = JSON.stringify(value);
  res
    .writeHead(200, [
      'content-type',
      'application/json',
      'content-length',
      String(Buffer.byteLength(text)),
    ])
    .end(text);
}
