import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { AppLimits } from '../limits.ts';
import { http } from '../node-modules.ts';
import { BadRequest, Busy, RequestTimeout, type Problem } from '../response/problem.ts';
import { closeGently } from './close.ts';
import { unknownMethod, writeRefusal } from './refusal.ts';

/** Answers a request. @param refusal - What is wrong with it, if that is known already. */
export type Answer = (req: IncomingMessage, res: ServerResponse, refusal?: Problem) => void;

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
  readonly #answer: Answer;
  /** In the order of their requests, which is that in which they are sent; the first ones may be out. */
  readonly #responses: ServerResponse[] = [];
  /** Requests that have come, and wait until fewer are being answered. */
  #waiting: { readonly req: IncomingMessage; readonly res: ServerResponse }[] = [];
  #latest: ServerResponse | undefined;
  #upload: Upload | undefined;
  /** Whether it ends once every request before has been answered. */
  #isEnding = false;
  /** What had come of a body when it was last looked at while the app closes. */
  #heard: { readonly atMs: number; readonly bytes: number } | undefined;

  constructor(socket: Socket, limits: AppLimits, answer: Answer) {
    this.#socket = socket;
    this.#limits = limits;
    this.#answer = answer;
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

  /**
   * A request has come. It is answered now, or, if too many of its connection are being answered, when
   * there are fewer; until then nothing more is read.
   */
  accept(req: IncomingMessage, res: ServerResponse): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    this.#latest = res;
    const isFull = this.#countUnanswered() >= this.#limits.maxUnanswered;
    this.#responses.push(res);
    if (!isFull) return this.#answer(req, res);
    if (this.#waiting.push({ req, res }) === 1) this.#awaitRoom();
    process.nextTick(pause, this); // Node reads on at the end of each request that it has parsed
  }

  /** Answers what waits, and reads on, when the first answer is out. */
  #awaitRoom(): void {
    this.#responses[0]!.once('finish', () => {
      const underWay = this.#countUnanswered() - this.#waiting.length;
      const next = this.#waiting.splice(0, this.#limits.maxUnanswered - underWay);
      for (const { req, res } of next) this.#answer(req, res);
      if (this.#waiting.length > 0) this.#awaitRoom();
      else this.#socket.resume();
    });
  }

  /** @internal Reads nothing more as long as requests wait. */
  pause(): void {
    if (this.#waiting.length > 0) this.#socket.pause();
  }

  /**
   * What came is no request that can be answered: answers what came before it, then refuses it, then closes.
   *
   * @param toRequest - Gives what is known of it; `undefined` if that is too little to answer it as a request.
   */
  refuse(problem: Problem, toRequest: () => IncomingMessage | undefined): void {
    if (this.#isEnding) return; // the rest of what was refused
    const socket = this.#socket;
    if (!socket.writable) return void socket.destroy();
    const last = this.#unsent();
    const isBody = last?.req.complete === false;
    this.#isEnding = true;
    const end = (): void => {
      if (!socket.writable) return;
      const req = isBody ? undefined : toRequest();
      if (req) return this.#answerLast(req, problem);
      if (!isBody) writeRefusal(socket, problem); // else the answer to that request is the last
      closeGently(socket);
    };
    if (!last) return end();
    last.once('finish', end);
    if (isBody) this.#upload?.fail(problem);
  }

  /**
   * The response that has to be out before anything else is written; `undefined` when there is none. One
   * that is out holds the socket until its `finish`, which comes a little later.
   */
  #unsent(): ServerResponse | undefined {
    if (!this.isIdle) return this.#responses.at(-1);
    return this.#latest?.socket ? this.#latest : undefined;
  }

  /** Answers a request that Node has made no response for, and closes. */
  #answerLast(req: IncomingMessage, problem: Problem): void {
    const res = new http.ServerResponse(req);
    res.shouldKeepAlive = false;
    res.assignSocket(this.#socket);
    res.once('finish', () => closeGently(this.#socket));
    this.#responses.push(res);
    this.#answer(req, res, problem);
  }

  /** Refuses CONNECT, after which Node does nothing more for the socket: answers before it may still be due. */
  refuseConnect(req: IncomingMessage): void {
    const socket = this.#socket;
    socket.on('error', () => undefined); // its `close` tells all
    socket.on('drain', () => this.#responses[0]?.emit('drain'));
    socket.on('timeout', () => {
      if (socket.writableLength > 0) socket.destroy();
    });
    this.refuse(unknownMethod(), () => req);
  }

  /** From now on a body is looked at now and then, until `unwatch`. */
  watch(req: IncomingMessage, upload: Upload): void {
    this.#upload = upload;
    if (this.#isEnding && !req.complete) upload.fail(new BadRequest('The body is broken.'));
  }

  unwatch(upload: Upload): void {
    if (this.#upload === upload) this.#upload = undefined;
  }

  /**
   * The app is closing: ends a connection that owes nothing. One that waits for a body is given a moment
   * for what comes next of it.
   */
  stop(nowMs: number): void {
    if (this.#socket.writableEnded) return; // it is being closed
    if (this.isIdle) return void this.#socket.destroy(); // also one that has sent half a head
    if (this.#upload) this.#checkSilence(this.#upload, nowMs);
  }

  #checkSilence(upload: Upload, nowMs: number): void {
    const { bytesRead } = this.#socket;
    if (this.#heard?.bytes !== bytesRead) this.#heard = { atMs: nowMs, bytes: bytesRead };
    else if (nowMs - this.#heard.atMs >= SILENCE_MS) upload.fail(new Busy(1));
  }

  /** The requests whose answers are still due, e.g. `GET /report`. */
  get unanswered(): string[] {
    this.#countUnanswered(); // and lets go of what is out
    if (this.#socket.destroyed) return [];
    return this.#responses.map(({ req }) => `${req.method} ${pathOf(req)}`);
  }

  /** Ends the connection now. */
  cut(): void {
    this.#socket.destroy();
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

function pause(connection: Connection): void {
  connection.pause();
}

/** How long nothing may come of a body while the app closes. */
const SILENCE_MS = 1000;

/** Without the query, which may hold secrets. */
function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0]!;
}
