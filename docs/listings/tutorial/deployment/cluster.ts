import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';

if (cluster.isPrimary) {
  let isStopping = false;
  const count = Number(process.env['WORKERS'] ?? availableParallelism());
  for (let i = 0; i < count; i++) cluster.fork();

  cluster.on('exit', (_worker, code) => {
    if (isStopping) process.exitCode ||= code;
    else cluster.fork();
  });
  process.on('SIGTERM', () => {
    isStopping = true;
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGTERM');
  });
  process.on('SIGINT', () => (isStopping = true)); // a terminal tells the workers too
} else {
  await import('./main.ts');
}
