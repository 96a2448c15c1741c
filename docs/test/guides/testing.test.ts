import { join } from 'node:path';
import { expect, it } from 'vitest';
import { docs } from '../support/page.ts';
import { Program } from '../support/program.ts';

it('the tests of the guide to testing pass under node --test', async () => {
  const command = 'node --import @thereafter/cli/register --test shop.test.ts'.split(' ');
  const program = new Program(command, join(docs, 'listings/guides/testing'));
  await program.ended;
  expect(program.output).toMatch(/pass 3\b/);
  expect(program.exitCode).toBe(0);
});
