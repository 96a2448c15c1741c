import {
  createContainer,
  dependency,
  Inject,
  Injectable,
  lazy,
  token,
  type Lazy,
} from '../src/index.ts';
import { describe, expect, it } from 'vitest';

const Port = token<number>('Port');

@Injectable({ scope: 'request' })
class Session {}

@Injectable()
class Pool {
  constructor(
    @Inject(Port) readonly port: number,
    @Inject(lazy(() => Session)) readonly session: Lazy<Session>,
  ) {}
  async [Symbol.asyncDispose]() {}
}

const tx = dependency(
  { pool: Pool, session: Session },
  function* (): Generator<number, void> {
    yield 1;
  },
  { name: 'tx', scope: 'handler' },
);

const page = dependency({ tx, pool: Pool }, () => 1, { name: 'page', scope: 'handler' });

describe('explain()', () => {
  it('draws the tree, with lives, reasons and who ends what', async () => {
    await using container = createContainer().provide(Port, { value: 80 });
    expect(container.explain(page).split('\n')).toEqual([
      'page — handler, because its dependency() says so, and has to for tx',
      '├─ tx: tx — handler, because its dependency() says so, and has to for Session; ended by its scope, after the handler and before the response (the code after its yield)',
      '│  ├─ pool: Pool — singleton; ended by the container, when it closes (Symbol.asyncDispose)',
      '│  │  ├─ port: Port — a provided value; never ended, since it is not ours',
      '│  │  └─ session: lazy Session — reached at the moment of use',
      '│  └─ session: Session — request, because its decorator says so',
      '└─ pool: Pool, as above',
    ]);
  });

  it('changes nothing: what it could not draw may still be provided', async () => {
    await using container = createContainer();
    expect(() => container.explain(page)).toThrow(/TA106/);
    container.provide(Port, { value: 80 });
    await container.start(Pool);
    expect(container.get(Pool).port).toBe(80);
  });

  it('draws every plan when asked of nothing in particular', async () => {
    await using container = createContainer();
    container.plan([{ label: 'session', key: Session }], { name: 'GET /' });
    container.plan([], { name: 'nothing' });
    expect(container.explain()).toBe(
      'GET /\nsession: Session — request, because its decorator says so',
    );
  });
});
