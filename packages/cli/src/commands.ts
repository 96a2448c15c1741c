import { Command, InvalidArgumentError } from 'commander';
import { ownVersion } from './package.ts';

/**
 * Every command with its flags. What a command does is loaded when it runs, so that `--help` is there at
 * once.
 */
export function createCommands(): Command {
  const thereafter = new Command('thereafter')
    .description('Runs, builds and inspects Thereafter apps.')
    .version(ownVersion(), '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .addHelpText('after', AFTER_HELP);

  running(thereafter.command('dev [entry]'))
    .description('run the app without a build, and again after each save')
    .option('-w, --watch <path>', 'watch this file or folder too; may be repeated', collect, [])
    .option('--drain <ms>', 'how long a restart waits for requests and tasks', toMs, 250)
    .option('--no-pretty', 'leave log lines as they are')
    .option('--inspect [host:port]', 'let a debugger attach')
    .action(async (entry, flags) => (await import('./commands/dev.ts')).dev(entry, flags));

  running(thereafter.command('start [entry]'))
    .description('run the app, or its bundle, as in production')
    .action(async (entry, flags) => (await import('./commands/start.ts')).start(entry, flags));

  thereafter
    .command('worker [entry]')
    .description('run the job workers of the app, without an HTTP port')
    .option('--env-file <file>', 'read variables from this file')
    .action(async (entry, flags) => (await import('./commands/worker.ts')).worker(entry, flags));

  thereafter
    .command('build [entry]')
    .description('bundle the app into one file that Node runs')
    .option('-o, --out <file>', 'the bundle (default: dist/<name of the entry>.mjs)')
    .option('--minify', 'make it small')
    .option('--external <package>', 'leave this package out; may be repeated', collect, [])
    .action(async (entry, flags) => (await import('./commands/build.ts')).build(entry, flags));

  thereafter
    .command('routes [entry]')
    .description('list what the app answers, and by what')
    .option('--json', 'as JSON')
    .action(
      looking(async (entry, flags) => (await import('./commands/routes.ts')).routes(entry, flags)),
    );

  thereafter
    .command('openapi [entry]')
    .description('write the OpenAPI document of the app')
    .option('-o, --out <file>', 'into this file (default: standard output)')
    .action(
      looking(async (entry, flags) =>
        (await import('./commands/openapi.ts')).openapi(entry, flags),
      ),
    );

  thereafter
    .command('graph [entry]')
    .description('draw what routes and tasks depend on, with lifetimes')
    .option('--of <name>', 'only what has to do with this class or route')
    .action(
      looking(async (entry, flags) => (await import('./commands/graph.ts')).graph(entry, flags)),
    );

  thereafter
    .command('doctor [entry]')
    .description('look for whatever would stop the app from starting')
    .action(looking(async (entry) => (await import('./commands/doctor.ts')).doctor(entry)));

  thereafter
    .command('new [folder]')
    .description('make a project with a controller, a task, a test and a Dockerfile')
    .action(async (folder) => (await import('./commands/new.ts')).create(folder));

  for (const command of thereafter.commands) {
    command.helpOption('-h, --help', 'print this help').allowExcessArguments(false);
  }
  return thereafter;
}

const AFTER_HELP = `
[entry] is the file that exports the app. Default: "thereafter": { "app": … } in package.json, else the
first of src/app.ts, app.ts, src/main.ts, main.ts that exists.

Exit codes: 0 all is well, 1 the app or the project has a problem, 2 the command was not understood.`;

/** What loads a program without starting it ends the process: its modules may have opened something. */
function looking<A extends unknown[]>(
  action: (...args: A) => Promise<void>,
): (...args: A) => Promise<never> {
  return async (...args) => {
    await action(...args);
    process.exit();
  };
}

function running(command: Command): Command {
  return command
    .option('-p, --port <number>', 'the port (default: the code’s, else PORT, else 3000)', toPort)
    .option('--host <address>', 'the address (default: the code’s, else HOST, else all)')
    .option('--env-file <file>', 'read variables from this file');
}

function toPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('It is a whole number from 0 to 65535; 0 takes any free port.');
}

function toMs(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a whole number of milliseconds.');
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
