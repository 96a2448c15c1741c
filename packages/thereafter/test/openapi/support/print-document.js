// Preloaded before a program: instead of running its app, prints the app's OpenAPI document and ends.
import { writeSync } from 'node:fs';
import { Server } from 'node:net';
import { createApp } from 'thereafter';

Server.prototype.listen = function refuse() {
  throw new Error('A port was opened.');
};
Object.getPrototypeOf(createApp()).run = function print() {
  writeSync(1, JSON.stringify(this.openapi()));
  process.exit(0);
};
