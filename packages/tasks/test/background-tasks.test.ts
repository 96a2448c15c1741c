import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { BackgroundTasks } from '../src/background-tasks.ts';
import { TaskQueue } from '../src/task-queue.ts';
import { createHost, createRunner } from './request.ts';

const COUNT = 20_000;

describe('BackgroundTasks', () => {
  it('leaves nothing in the old space, which only a full collection clears', () => {
    const queue = new TaskQueue(createRunner(), createHost());
    const make = (count: number): void => {
      for (let i = 0; i < count; i++) new BackgroundTasks(queue);
    };
    make(100); // what is made once is made
    collect(); // or what others have left would move into the old space meanwhile
    const before = oldSpaceBytes();
    make(COUNT);
    // A function has 64 bytes; so many that what others leave behind does not count.
    expect(oldSpaceBytes() - before).toBeLessThan(COUNT * 32);
  });
});

function collect(): void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void; // a context that is made now has it
  gc();
}

function oldSpaceBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space')!
    .space_used_size;
}
