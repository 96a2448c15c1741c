import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { AppLimits } from '../limits.ts';
import { BadRequest, RequestTimeout, type Problem } from '../response/problem.ts';
import { closeGently } from './close.ts';
import { writeRefusal } from './refusal.ts';

/** A body that is being read. */
export interface Upload {
  /** Ends the reading with a problem. */
  fail(problem: Problem): void;
  /** Since when it is watched, and what had come by then; undefined until it is first looked at. */
  seen: { readonly atMs: number; readonly bytes: number } | undefined;
}

/**
 * What is known of one connection besides what Node knows: how many of its requests wait for their
 * answers, which body is being read, and why it takes no more requests.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #limits: AppLimits;
  /** In the order of their requests, which is that in which they are sent; the first ones may be out. */
  readonly #responses: ServerResponse[] = [];
  #latest: IncomingMessage | undefined;
  #upload: Upload | undefined;
  /** Whether it ends once every request before has been answered. */
  #isEnding = false;

  constructor(socket: Socket, limits: AppLimits) {
    this.#socket = socket;
    this.#limits = limits;
    connections.set(socket, this);
  }

  get isIdle(): boolean {
    return this.#countUnanswered() === 0;
  }

  /** Whether no answer is due after the one that is being written. */
  get isAtLastAnswer(): boolean {
    return this.#countUnanswered() <= 1;
  }

  /** Looks which answers are out, since a listener for each of them would cost more. */
  #countUnanswered(): number {
    const responses = this.#responses;
    while (responses.length > 0 && responses[0]!.writableFinished) responses.shift();
    return responses.length;
  }

  /** @returns Whether the request may be handled; if not, the connection is cut. */
  admit(req: IncomingMessage, res: ServerResponse): boolean {
    const socket = this.#socket;
    if (socket.destroyed) return false;
    if (this.#countUnanswered() >= this.#limits.maxUnanswered) {
      socket.destroy();
      return false;
    }
    this.#latest = req;
    this.#responses.push(res);
    return true;
  }

  /** What came cannot be read as a request: answers what came before it, then this, then closes. */
  refuse(problem: Problem): void {
    if (this.#isEnding) return; // the rest of what was refused
    const socket = this.#socket;
    if (!socket.writable) return void socket.destroy();
    const last = this.isIdle ? undefined : this.#responses.at(-1);
    const isBody = last !== undefined && this.#latest?.complete === false;
    this.#isEnding = true;
    const end = (): void => {
      if (!isBody) writeRefusal(socket, problem); // else the answer to that request is the last
      closeGently(socket);
    };
    if (!last) return end();
    last.once('finish', end);
    if (isBody) this.#upload?.fail(problem);
  }

  /** From now on a body is looked at now and then, until `unwatch`. */
  watch(req: IncomingMessage, upload: Upload): void {
    this.#upload = upload;
    if (this.#isEnding && !req.complete) upload.fail(new BadRequest('The body is broken.'));
  }

  unwatch(upload: Upload): void {
    if (this.#upload === upload) this.#upload = undefined;
  }

  /** What is looked at now and then: a body that comes too slowly fails, a blocked answer gets a timer. */
  check(nowMs: number): void {
    const socket = this.#socket;
    this.#countUnanswered(); // and lets go of what is out
    if (socket.writableLength > 0 && !socket.timeout)
      socket.setTimeout(this.#limits.writeTimeoutMs);
    if (this.#upload) this.#checkUpload(this.#upload, nowMs);
  }

  #checkUpload(upload: Upload, nowMs: number): void {
    const { requestTimeoutMs, uploadTimeoutMs, minUploadRate } = this.#limits;
    const { bytesRead } = this.#socket;
    const { atMs, bytes: bytesBefore } = (upload.seen ??= { atMs: nowMs, bytes: bytesRead });
    const elapsedMs = nowMs - atMs;
    if (elapsedMs < requestTimeoutMs) return;
    const bytes = bytesRead - bytesBefore;
    if (elapsedMs < uploadTimeoutMs && bytes >= (elapsedMs / 1000) * minUploadRate) return;
    upload.fail(new RequestTimeout('The body came too slowly.'));
  }
}

const connections = new WeakMap<Socket, Connection>();

/** Undefined for a socket that no server of ours has accepted. */
export function connectionOf(socket: Socket): Connection | undefined {
  return connections.get(socket);
}
