import { Controller, Get, Inject, Injectable, Path, token } from 'thereafter';
import { Type } from 'typebox';
import { Settings } from './settings.ts';

/** Where this app listens, once it does. */
export interface OwnAddress {
  readonly url: string;
}
export const OwnAddress = token<OwnAddress>('OwnAddress');

/** The service that knows the users: `UPSTREAM_URL`, or the controller below. */
@Injectable()
export class Upstream {
  constructor(
    @Inject(Settings) private readonly settings: Settings,
    @Inject(OwnAddress) private readonly own: OwnAddress,
  ) {}

  get url(): string {
    return this.settings.UPSTREAM_URL ?? `${this.own.url}/upstream`;
  }
}

export const UpstreamUser = Type.Object({ id: Type.Integer(), name: Type.String() });

const NAMES = ['Ada', 'Grace', 'Barbara', 'Edsger', 'Frances', 'Donald', 'Radia'];

/** Stands for another service, so that the tour needs none. */
@Controller('/upstream')
export class UpstreamController {
  @Get('/users/:id', { response: UpstreamUser })
  user(@Path('id', Type.Integer({ minimum: 1 })) id: number) {
    return { id, name: NAMES[(id - 1) % NAMES.length]! };
  }
}
