import { ThereafterError, type Failure, type Scope } from '@thereafter/di';
import {
  BackgroundTasks,
  TaskQueue,
  type Logger,
  type Outcome,
  type TaskHost,
  type TaskRunner,
} from '@thereafter/tasks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FormBody, FormPlan } from './handler/form.ts';
import type { AppLimits } from './limits.ts';
import type { AppLog } from './log.ts';
import { nodeCrypto } from './node-modules.ts';
import type { InputIssue } from './response/problem.ts';
import type { ProxyTrust } from './socket/forwarded.ts';
import { endOf, onResponseEnd } from './socket/response-end.ts';
import { isThenable } from './untrusted.ts';

/**
 * Where an exchange stands. Each state leads to the next one, and to no other.
 *
 * - `open`: the handler is at work. The client may have left already: then there is an `outcome`.
 * - `answered`: the handler has settled, and its reply was given to the socket.
 * - `over`: the socket has taken the reply, or never will. Now the tasks run.
 * - `ended`: the tasks are done, and what was made for the request has ended.
 */
export type ExchangeState = 'open' | 'answered' | 'over' | 'ended';

/** What an exchange needs of its app. */
export interface ExchangeHost {
  readonly runner: TaskRunner;
  readonly log: AppLog;
  readonly limits: AppLimits;
  readonly trustsProxy: ProxyTrust;
  /** Aborts when the app stops taking requests. */
  readonly stopping: AbortSignal;
  /** The path parameters of a request whose route was not looked for yet. */
  readonly findParams: (method: string, target: string) => Readonly<Record<string, string>>;
}

/** What an exchange knows of its route. */
export interface MatchedRoute {
  /** The pattern that it was declared with, e.g. `/users/:id`. */
  readonly pattern: string;
  /** What the inputs want of a form in the body; `undefined` if none reads one. */
  readonly form: FormPlan | undefined;
}

/** Something that is told how a response has ended. */
type Observer = (outcome: Outcome) => unknown;

/** Something that is run when an exchange has ended. */
type Ending = () => Promise<void>;

/**
 * A request and its response, from the socket to the last task: what is known of them, and where they
 * stand. What user code sees of it is a `Context`.
 */
export class Exchange implements TaskHost {
  readonly app: ExchangeHost;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  route: MatchedRoute | undefined = undefined;
  /** What is wrong with the input, as far as it has been read. */
  issues: InputIssue[] | undefined = undefined;
  /** The body, once somebody has asked for its bytes. */
  bodyBytes: Promise<Buffer> | undefined = undefined;
  /** The body, once somebody has asked for it as a form. */
  formBody: Promise<FormBody> | undefined = undefined;
  /** The life of what is made for this request, if anything is. */
  scope: Scope | undefined = undefined;
  /** What the handler, or something before it, threw. */
  failure: Failure | undefined = undefined;

  readonly #whenOver: (exchange: Exchange) => void;
  #state: ExchangeState = 'open';
  #outcome: Outcome | undefined = undefined;
  #isWatched = false;
  #isBodyTaken = false;
  #isGivenUp = false;
  #observers: Observer[] | undefined = undefined;
  #endings: Ending[] | undefined = undefined;
  #id: string | undefined = undefined;
  #log: Logger | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  #queue: TaskQueue | undefined = undefined;
  #tasks: BackgroundTasks | undefined = undefined;
  #params: Readonly<Record<string, string>> | undefined = undefined;

  /** @param whenOver - Called once, in the state `over`. */
  constructor(
    app: ExchangeHost,
    req: IncomingMessage,
    res: ServerResponse,
    whenOver: (exchange: Exchange) => void,
  ) {
    this.app = app;
    this.req = req;
    this.res = res;
    this.#whenOver = whenOver;
  }

  get state(): ExchangeState {
    return this.#state;
  }

  get isAnswered(): boolean {
    return this.#state !== 'open';
  }

  /** How the response ended; `undefined` until it has. */
  get outcome(): Outcome | undefined {
    // Most responses are not watched, since nothing waits for their end. They can still be looked at.
    if (this.#outcome || this.#isWatched || !this.isAnswered) return this.#outcome;
    return endOf(this.req, this.res);
  }

  /** The reply was given to the socket. */
  answered(): void {
    this.#state = 'answered';
    this.bodyBytes = this.formBody = undefined; // tasks keep the exchange, and not what came with it
    if (this.#outcome) this.#over(); // the client left while the handler was at work
  }

  /** The body of the response broke half-way. */
  broke(): void {
    this.#responseEnded('failed');
  }

  /** Sees to it that the end of the response is noticed. Only called when something waits for it. */
  watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    onResponseEnd(this.req, this.res, (end) => this.#responseEnded(end));
  }

  #responseEnded(outcome: Outcome): void {
    if (this.#outcome) return;
    this.#outcome = outcome;
    if (this.#observers) for (const observe of this.#observers) this.#tell(observe, outcome);
    if (outcome !== 'sent') this.#controller?.abort(new ClientLeftError());
    if (this.#state === 'answered') this.#over();
  }

  #over(): void {
    this.#state = 'over';
    this.#whenOver(this);
  }

  /** Runs what was given to `atEnd`. @returns A promise if there is something to wait for. */
  end(): Promise<void> | undefined {
    this.#state = 'ended';
    return this.#endings && this.#runAll(this.#endings);
  }

  /** Calls back once when the response has ended, before the tasks. The handler may still be at work. */
  onResponseEnd(observe: Observer): void {
    if (this.#outcome) return this.#tell(observe, this.#outcome);
    (this.#observers ??= []).push(observe);
    this.watch();
  }

  /** Called by the socket, which nothing may be thrown at. */
  #tell(observe: Observer, outcome: Outcome): void {
    const onBroken = (error: unknown): void =>
      this.log.error(
        { err: error, path: this.path },
        'what waited for the end of a response failed',
      );
    try {
      const told = observe(outcome);
      if (isThenable(told)) Promise.resolve(told).then(undefined, onBroken);
    } catch (error) {
      onBroken(error);
    }
  }

  /** Runs something when the tasks of this request are done, however they end; at once, if they are. */
  atEnd(run: Ending): void {
    if (this.#state === 'ended') return void this.#run(run);
    (this.#endings ??= []).push(run);
    this.watch();
  }

  /** Whether something waits for the end of the tasks. */
  get hasEndings(): boolean {
    return this.#endings !== undefined;
  }

  async #runAll(endings: readonly Ending[]): Promise<void> {
    for (const run of endings) await this.#run(run);
  }

  async #run(ending: Ending): Promise<void> {
    try {
      await ending();
    } catch (error) {
      this.log.error({ err: error, path: this.path }, 'clean-up after a request failed');
    }
  }

  /** Whether the handler took longer than it may: what it still does counts no more. */
  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }

  /** The handler takes longer than it may, and is waited for no longer. */
  giveUp(reason: Error): void {
    this.#isGivenUp = true;
    (this.#controller ??= new AbortController()).abort(reason);
    this.watch(); // something may be made for the request yet, and has to end
  }

  /** A signal that aborts when the client leaves before the response is complete, or the handler is given up. */
  abortSignal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      this.watch();
    }
    return this.#controller.signal;
  }

  /** The tasks, if somebody has asked for them. */
  get queue(): TaskQueue | undefined {
    return this.#queue;
  }

  /** The tasks of this request. */
  openTasks(): BackgroundTasks {
    return (this.#tasks ??= new BackgroundTasks(this.#openQueue()));
  }

  #openQueue(): TaskQueue {
    const queue = (this.#queue = new TaskQueue(this.app.runner, this));
    // Asked for so late that what releases the queue of a request has passed.
    if (this.#state === 'over' || this.#state === 'ended') queue.release();
    return queue;
  }

  /**
   * Says that somebody reads the body now.
   *
   * @throws {BodyTakenError} `BODY_TAKEN` when it has been read already: there is nothing left.
   */
  takeBody(): void {
    if (this.#isBodyTaken) throw new BodyTakenError();
    this.#isBodyTaken = true;
  }

  /** Path parameters, decoded; empty when no route is found. */
  get params(): Readonly<Record<string, string>> {
    return (this.#params ??= this.app.findParams(this.method, this.target));
  }

  /** From who has found the route. */
  set params(params: Readonly<Record<string, string>>) {
    this.#params = params;
  }

  /** Names the request in logs and problems. */
  get id(): string {
    return (this.#id ??= nodeCrypto().randomUUID());
  }

  /** From the middleware that takes over the id of a proxy. */
  set id(id: string) {
    this.#id = id;
    this.#log = undefined;
  }

  /** The app's log, with the id of this request on each line. */
  get log(): Logger {
    return (this.#log ??= this.app.log.child({ requestId: this.id }));
  }

  get method(): string {
    return this.req.method!; // always set on a server's request
  }

  /** The request target as it came, query string included. */
  get target(): string {
    return this.req.url!; // always set on a server's request
  }

  /** The request target without its query string, as it came. */
  get path(): string {
    const { target } = this;
    const end = target.indexOf('?');
    return end === -1 ? target : target.slice(0, end);
  }

  /** The raw query string. */
  get rawQuery(): string {
    const { target } = this;
    const start = target.indexOf('?');
    return start === -1 ? '' : target.slice(start + 1);
  }
}

/** The client left before the response was complete. The reason of the signal. */
class ClientLeftError extends ThereafterError {
  readonly code = 'CLIENT_LEFT';

  constructor() {
    super(
      'The client left before the response was complete. Nobody waits for what is still done for it.',
    );
  }
}

/** The body of a request was asked for in a second form. */
class BodyTakenError extends ThereafterError {
  readonly code = 'BODY_TAKEN';

  constructor() {
    super(
      'The body has been read before, in another form, and its bytes were not kept. Ask for one form of ' +
        'it, or read the bytes and take them apart.',
    );
  }
}
