import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isFinal, JOB_STATES, MOVES } from '../src/states.ts';

const page = readFileSync(
  join(import.meta.dirname, '../../../docs/reference/job-states.md'),
  'utf8',
);

describe('the page of job states', () => {
  it('lists the states that there are, and no others', () => {
    const [states = ''] = page.split('| from');
    const listed = [...states.matchAll(/^\| `(\w+)` /gm)].map(([, state]) => state);
    expect(listed).toEqual([...JOB_STATES]);
  });

  it('lists the moves that there are, and no others', () => {
    const moves = page.slice(page.indexOf('| from'));
    const listed = [...moves.matchAll(/^\| `(\w+)` *\| `(\w+)`/gm)].map(
      ([, from, to]) => `${from} → ${to}`,
    );
    const all = JOB_STATES.flatMap((from) => MOVES[from].map((to) => `${from} → ${to}`));
    expect(listed.toSorted()).toEqual(all.toSorted());
  });
});

describe('a final state', () => {
  it('is one that only retry() leads out of', () => {
    for (const state of JOB_STATES) {
      const leadsOnlyToAvailable = MOVES[state].length === 1 && MOVES[state][0] === 'available';
      expect(isFinal(state)).toBe(leadsOnlyToAvailable);
    }
  });
});
