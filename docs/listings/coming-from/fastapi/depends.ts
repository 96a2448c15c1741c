import { createApp, dependency, header, Unauthorized } from 'thereafter';
import { Type } from 'typebox';

class Database {
  async find(token: string) {
    return token === 'ada' ? { name: 'Ada' } : undefined;
  }
  async close() {
    console.log('closed');
  }
}

const database = dependency({}, async function* () {
  const db = new Database();
  try {
    yield db;
  } finally {
    await db.close();
  }
});

const currentUser = dependency(
  { token: header('x-token', Type.String()), db: database },
  async ({ token, db }) => {
    const user = await db.find(token);
    if (!user) throw new Unauthorized('Invalid token');
    return user;
  },
);

await createApp()
  .get('/me', { in: { user: currentUser } }, ({ user }) => user)
  .run();
