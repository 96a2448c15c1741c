import { type Lazy, Context, Inject, inject, Injectable, lazy, token } from 'thereafter';

export interface Clock {
  now(): Date;
}
export const Clock = token<Clock>('Clock'); // an interface has no run-time value: give it a token

@Injectable() // singleton (default): one per app, made on first use or at start
export class Rates {
  constructor(@Inject(Clock) private clock: Clock) {}
  at() {
    return this.clock.now();
  }
}

@Injectable({ scope: 'request' }) // one per request (and one per task run)
export class Audit {
  constructor(
    private ctx: Context,
    private rates: Rates,
  ) {}
  note(what: string) {
    this.ctx.log.info({ what, at: this.rates.at() });
  }
}

@Injectable({ scope: 'transient' }) // a new one for every place that asks
export class Stopwatch {
  readonly start = performance.now();
}

@Injectable()
export class Reports {
  private clock = inject(Clock); // works in every toolchain, needs no metadata
  constructor(@Inject(lazy(() => Audit)) private audit: Lazy<Audit>) {} // a singleton may reach a request-scoped object only lazily
  run() {
    this.audit.get().note(`report ${this.clock.now().toISOString()}`);
  }
}
