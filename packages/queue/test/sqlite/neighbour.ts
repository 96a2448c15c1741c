// A process that holds a job, runs others without an end, and waits to be killed.
import { systemClock } from '../../src/clock.ts';
import { SqliteDriver } from '../../src/sqlite/sqlite-driver.ts';

const [file = '', held = '', runs = '0'] = process.argv.slice(2);
const driver = new SqliteDriver({ file });
const dayMs = 86_400_000;
await driver.start({
  clock: systemClock,
  log: console,
  keepMs: { completed: dayMs, failed: dayMs, cancelled: dayMs },
});
await driver.enqueue([
  {
    id: held,
    queue: 'other',
    task: 'send',
    payload: '{}',
    priority: 5,
    attempts: 3,
    runAtMs: systemClock.now(),
    isHeld: true,
  },
]);
let started = 0;
const tell = (): void => void process.send?.('ready');
for (const queue of ['remote', 'mail']) {
  driver.work(queue, { concurrency: 10, leaseMs: 1 }, () => {
    if ((started += 1) === Number(runs)) tell();
    return new Promise(() => undefined);
  });
}
if (runs === '0') tell();
process.on('message', () => undefined); // the channel keeps the process alive
