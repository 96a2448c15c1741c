// Preloaded before a program that names its port: it gets any free one instead.
import { Server } from 'node:net';

// oxlint-disable-next-line typescript/unbound-method -- called with its server below
const { listen } = Server.prototype;
Server.prototype.listen = function listenAnywhere(options, ...rest) {
  return listen.call(this, { ...options, port: 0, host: '127.0.0.1' }, ...rest);
};
