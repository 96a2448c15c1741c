import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCommands } from '../../src/commands.ts';
import { Project } from '../project.ts';

let project: Project;
beforeAll(() => {
  project = new Project({});
});
afterAll(() => project[Symbol.dispose]());

const commands = createCommands().commands;

describe('thereafter', () => {
  it('prints its help and its version', async () => {
    const help = await project.run('--help');
    expect(help.exitCode).toBe(0);
    for (const command of commands) {
      expect(help.stdout).toMatch(new RegExp(`^ {2}${command.name()} .*`, 'm'));
    }
    const { version } = JSON.parse(
      readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'),
    ) as { version: string };
    expect((await project.run('--version')).stdout).toBe(`${version}\n`);
  });

  it('has help for each command', async () => {
    const helps = await Promise.all(
      commands.map((command) => project.run(command.name(), '--help')),
    );
    commands.forEach((command, i) => {
      expect(helps[i]).toMatchObject({ exitCode: 0, stderr: '' });
      expect(helps[i]!.stdout).toContain(`Usage: thereafter ${command.name()}`);
    });
  });

  it.for([
    [['dve'], "thereafter: unknown command 'dve'. Did you mean dev?"],
    [['dev', '--prot', '1'], "thereafter: unknown option '--prot'. Did you mean --port?"],
    [
      ['dev', '--port', 'x'],
      "thereafter: option '-p, --port <number>' argument 'x' is invalid. It is a whole number from 0 to 65535; 0 takes any free port. See thereafter dev --help.",
    ],
    [
      ['routes', 'a.ts', 'b.ts'],
      "thereafter: too many arguments for 'routes'. Expected 1 argument but got 2: a.ts, b.ts. See thereafter routes --help.",
    ],
  ] as const)('refuses %j in one line, with code 2', async ([args, line]) => {
    expect(await project.run(...args)).toEqual({ exitCode: 2, stdout: '', stderr: `${line}\n` });
  });

  it('refuses an old Node in one line', async () => {
    const pretend = "Object.defineProperty(process, 'versions', { value: { node: '22.18.0' } })";
    const old = project.startNode([
      '--import',
      `data:text/javascript,${encodeURIComponent(pretend)}`,
      join(import.meta.dirname, '../../bin/thereafter.js'),
    ]);
    expect(await old.closed).toEqual([1, null]);
    expect(old.stderr).toBe(
      'thereafter needs Node 22.19 or later, but this is 22.18.0. Install a newer one and run this again.\n',
    );
  });

  it('prints its help when nothing is asked for, with code 2', async () => {
    const { exitCode, stderr } = await project.run();
    expect(stderr).toContain('Usage: thereafter');
    expect(exitCode).toBe(2);
  });
});

describe('docs/guides/cli.md', () => {
  const guide = readFileSync(join(import.meta.dirname, '../../../../docs/guides/cli.md'), 'utf8');
  const sections = guide.split(/^## /m).slice(1);

  it('has a section for each command, in the order of --help', () => {
    const named = sections
      .map((section) => /^`thereafter (\w+)/.exec(section)?.[1])
      .filter((name) => name !== undefined);
    expect(named).toEqual(commands.map((command) => command.name()));
  });

  it.for(commands.map((command) => command.name()))('names each flag of %s', (name) => {
    const section = sections.find((text) => text.startsWith(`\`thereafter ${name}`))!;
    const documented = [...section.matchAll(/^\| `([^`]+)`/gm)].map(([, flag]) => flag);
    const command = commands.find((one) => one.name() === name)!;
    expect(documented).toEqual(command.options.map(({ flags }) => flags));
  });
});
