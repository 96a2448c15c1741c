import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { AppLimits } from '../limits.ts';
import { BadRequest, RequestTimeout, type Problem } from '../response/problem.ts';
import { closeGently } from './close.ts';
import { writeRefusal } from './refusal.ts';

/** A body that is being read. */
interface Upload {
  readonly startedAtMs: number;
  readonly bytesBefore: number;
  readonly fail: (problem: Problem) => void;
}

/**
 * What is known of one connection besides what Node knows: how many of its requests wait for their
 * answers, which body is being read, and why it takes no more requests.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #limits: AppLimits;
  #unanswered = 0;
  #latest: IncomingMessage | undefined;
  #upload: Upload | undefined;
  /** Ends the connection, once every request before has been answered. */
  #end: (() => void) | undefined;

  constructor(socket: Socket, limits: AppLimits) {
    this.#socket = socket;
    this.#limits = limits;
    connections.set(socket, this);
  }

  get isIdle(): boolean {
    return this.#unanswered === 0;
  }

  /** Whether no answer is due after the one that is being written. */
  get isAtLastAnswer(): boolean {
    return this.#unanswered <= 1;
  }

  /** @returns Whether the request may be handled; if not, the connection is cut. */
  admit(req: IncomingMessage, res: ServerResponse): boolean {
    const socket = this.#socket;
    if (socket.destroyed) return false;
    if (++this.#unanswered > this.#limits.maxUnanswered) {
      socket.destroy();
      return false;
    }
    this.#latest = req;
    res.on('finish', answered);
    return true;
  }

  answered(): void {
    this.#unanswered--;
    if (this.#unanswered === 0) this.#end?.();
  }

  /** What came cannot be read as a request: answers what came before it, then this, then closes. */
  refuse(problem: Problem): void {
    if (this.#end) return; // the rest of what was refused
    const socket = this.#socket;
    if (!socket.writable) return void socket.destroy();
    const isBody = this.#unanswered > 0 && this.#latest?.complete === false;
    this.#end = isBody
      ? () => closeGently(socket) // the answer to that request is the last
      : () => {
          writeRefusal(socket, problem);
          closeGently(socket);
        };
    if (this.isIdle) this.#end();
    else if (isBody) this.#upload?.fail(problem);
  }

  /** @returns Takes the body off the watch again. */
  watch(req: IncomingMessage, fail: (problem: Problem) => void): () => void {
    const upload = {
      startedAtMs: performance.now(),
      bytesBefore: this.#socket.bytesRead,
      fail,
    };
    this.#upload = upload;
    if (this.#end && !req.complete) fail(new BadRequest('The body is broken.'));
    return () => {
      if (this.#upload === upload) this.#upload = undefined;
    };
  }

  /** Fails a body that comes too slowly. */
  checkUpload(nowMs: number): void {
    const upload = this.#upload;
    if (!upload) return;
    const { requestTimeoutMs, uploadTimeoutMs, minUploadRate } = this.#limits;
    const elapsedMs = nowMs - upload.startedAtMs;
    if (elapsedMs < requestTimeoutMs) return;
    const bytes = this.#socket.bytesRead - upload.bytesBefore;
    if (elapsedMs < uploadTimeoutMs && bytes >= (elapsedMs / 1000) * minUploadRate) return;
    upload.fail(new RequestTimeout('The body came too slowly.'));
  }
}

const connections = new WeakMap<Socket, Connection>();

/** Undefined for a socket that no server of ours has accepted. */
export function connectionOf(socket: Socket): Connection | undefined {
  return connections.get(socket);
}

/** One function for all responses, so that none is made per request. */
function answered(this: ServerResponse): void {
  connections.get(this.req.socket)?.answered();
}
