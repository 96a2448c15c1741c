import { createContainer, dependency, Inject, Injectable, token } from '@thereafter/di';

interface Clock {
  today(): string;
}
const Clock = token<Clock>('Clock');

@Injectable() // one for the whole program
class Ledger {
  readonly lines: string[] = [];
  constructor(@Inject(Clock) private readonly clock: Clock) {}
  write(line: string) {
    this.lines.push(`${this.clock.today()} ${line}`);
  }
  [Symbol.dispose]() {
    console.log(`${this.lines.length} lines kept`); // when the container closes
  }
}

// One for each scope. What comes after `yield` runs when the scope closes.
const batch = dependency({ ledger: Ledger }, async function* ({ ledger }) {
  const entries: string[] = [];
  yield entries;
  for (const entry of entries) ledger.write(entry);
});

@Injectable({ scope: 'request' })
class Import {
  constructor(private readonly ledger: Ledger) {}
  report() {
    return `${this.ledger.lines.length} lines so far`;
  }
}

await using container = createContainer().provide(Clock, { value: { today: () => '2027-01-01' } });
await container.start(Ledger, batch, Import); // says here what cannot be built, all of it at once

for (const file of ['may.csv', 'june.csv']) {
  await using scope = container.openScope();
  (await scope.get(batch)).push(`imported ${file}`);
  console.log((await scope.get(Import)).report());
}
console.log(container.get(Ledger).lines.join('\n'));
