// How fast each way of hiding undeclared fields is; the figures stand in docs/adr/0008-serialising.md.
import build from 'fast-json-stringify';
import { Type } from 'typebox';
import { compileSerialiser } from '../src/response/serialise.ts';

const User = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  email: Type.String(),
  isActive: Type.Boolean(),
  tags: Type.Array(Type.String()),
  address: Type.Object({ street: Type.String(), city: Type.String() }),
  note: Type.Optional(Type.String()),
});
const user = (id: number): object => ({
  id,
  name: `Ada Lovelace ${id}`,
  email: `ada${id}@example.com`,
  isActive: id % 2 === 0,
  tags: ['one', 'two', 'three'],
  address: { street: 'St James Square', city: 'London', secret: 'x' },
  passwordHash: 'x'.repeat(60),
});

const cases = [
  { name: 'one object', schema: User, value: user(1), rounds: 10_000 },
  {
    name: '100-item list',
    schema: Type.Array(User),
    value: Array.from({ length: 100 }, (_, i) => user(i)),
    rounds: 200,
  },
];

for (const { name, schema, value, rounds } of cases) {
  const own = compileSerialiser(schema);
  const ways: Record<string, () => string> = {
    'JSON.stringify, nothing hidden': () => JSON.stringify(value),
    'own writer': () => own(value, 200),
    'fast-json-stringify': (
      (stringify) => () =>
        stringify(value)
    )(build(schema)),
  };
  const times = Object.fromEntries(Object.keys(ways).map((way) => [way, [] as number[]]));
  // In turns, so that none has the quieter machine.
  for (let turn = 0; turn < 60; turn++) {
    for (const [way, run] of Object.entries(ways)) {
      const begin = performance.now();
      for (let i = 0; i < rounds; i++) run();
      if (turn > 0) times[way]!.push(((performance.now() - begin) * 1e6) / rounds);
    }
  }
  for (const [way, turns] of Object.entries(times)) {
    // The least: what else the machine does only ever adds.
    console.log(`${name}: ${way}: ${Math.min(...turns).toFixed(0)} ns`);
  }
}
