import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { BackgroundTasks, type TaskSink } from '../src/background-tasks.ts';

const COUNT = 20_000;

describe('BackgroundTasks', () => {
  it('leaves nothing in the old space, which only a full collection clears', () => {
    const sink: TaskSink = {
      size: 0,
      push() {
        throw new Error('nothing is added here');
      },
    };
    const make = (count: number): void => {
      for (let i = 0; i < count; i++) new BackgroundTasks(sink);
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
