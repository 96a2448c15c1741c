// Loaded into each measured process before its program: answers what the process has used so far.

export interface Usage {
  /** User and system time since the start, in microseconds. */
  readonly cpuUs: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
}

process.on('message', (message) => {
  if (message === 'gc') (globalThis as { gc?: () => void }).gc?.();
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  process.send?.({ cpuUs: user + system, rssBytes: rss, heapBytes: heapUsed } satisfies Usage);
});
process.channel?.unref();
process.once('disconnect', () => process.exit());
