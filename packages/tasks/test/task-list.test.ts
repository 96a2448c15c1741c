import { describe, expect, it } from 'vitest';
import type { QueuedTask } from '../src/queued-task.ts';
import { TaskList } from '../src/task-list.ts';

describe('TaskList', () => {
  // Of a task it needs the place for its links alone.
  const entry = (): QueuedTask => ({ links: undefined }) as QueuedTask;

  it.each([[0], [1], [2]])('keeps the order when the task at %i leaves', (index) => {
    const entries = [entry(), entry(), entry()];
    const list = new TaskList();
    for (const each of entries) list.add(each);
    expect(list.delete(entries[index]!)).toBe(true);
    expect(list.toArray()).toEqual(entries.toSpliced(index, 1));
    expect(list.size).toBe(2);
  });

  it('says that a task which has left, or never came, is not there', () => {
    const list = new TaskList();
    const one = entry();
    expect(list.delete(one)).toBe(false);
    list.add(one);
    expect(list.delete(one)).toBe(true);
    expect(list.delete(one)).toBe(false);
    expect(list.size).toBe(0);
  });

  it('takes a task again after it was empty', () => {
    const list = new TaskList();
    const [one, other] = [entry(), entry()];
    list.add(one);
    list.delete(one);
    list.add(other);
    expect(list.toArray()).toEqual([other]);
  });

  it('leaves no way from a task that has left to others', () => {
    const list = new TaskList();
    const [one, other] = [entry(), entry()];
    list.add(one);
    list.add(other);
    list.delete(one);
    expect(one.links).toBeUndefined();
    expect(other.links?.before).toBeUndefined();
  });
});
