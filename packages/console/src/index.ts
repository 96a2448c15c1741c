export { adminConsole, type ConsoleOptions } from './console.ts';
export { fromThisMachine } from './this-machine.ts';
