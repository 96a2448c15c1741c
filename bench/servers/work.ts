// The work that every server does, without its framework.

/** Where to listen; the harness looks for a free port. */
export const port = Number(process.env['PORT']);

/** How many routes `/things/<n>/:id` there are. */
export const routeCount = Number(process.env['ROUTES'] ?? 1);

export interface NewUser {
  readonly name: string;
  readonly email: string;
  readonly age: number;
}

/** What a database would give. The hash must not leave the server. */
export interface StoredUser extends NewUser {
  readonly id: number;
  readonly passwordHash: string;
}

export interface Listing {
  readonly limit: number;
  readonly active: boolean;
}

const passwordHash = '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy';

export function findUser(
  id: number,
  { limit, active }: Listing,
): Omit<StoredUser, 'age'> & Listing {
  return { id, name: 'Ada Lovelace', email: 'ada@example.com', passwordHash, limit, active };
}

export function storeUser({ name, email, age }: NewUser): StoredUser {
  return { id: 1, name, email, age, passwordHash };
}

/** How many background tasks have run, so that the harness can see that they do. */
export const tally = { done: 0 };

export function sendWelcome(_email: string): void {
  tally.done += 1;
}

export function indexUser(_id: number, _name: string): void {
  tally.done += 1;
}

export function countSignup(): void {
  tally.done += 1;
}

// Five classes that live for one request.

export class Clock {
  readonly startedAt = 0;
}

export class Ids {
  readonly next = 1;
}

export class Users {
  constructor(private readonly ids: Ids) {}

  store(user: NewUser): StoredUser {
    return { ...storeUser(user), id: this.ids.next };
  }
}

export class Audit {
  entries = 0;

  constructor(private readonly clock: Clock) {}

  note(user: StoredUser): void {
    this.entries += user.id + this.clock.startedAt;
  }
}

export class Signup {
  constructor(
    private readonly users: Users,
    private readonly audit: Audit,
  ) {}

  create(newUser: NewUser): StoredUser {
    const user = this.users.store(newUser);
    this.audit.note(user);
    return user;
  }
}

/** How the five are made where nothing makes them. */
export function makeSignup(): Signup {
  return new Signup(new Users(new Ids()), new Audit(new Clock()));
}
