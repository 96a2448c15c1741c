import { BackgroundTasks, Controller, Get, NotFound, Path, Post, Query } from 'thereafter';
import { Type } from 'typebox';
import { Cache } from './cache.ts';

const TTL_SECONDS = 3600;

/** What is written here. A Redis may have more, which is nobody's business. */
const OWN_KEY = /^(user|pref):-?\d+$/;

/** Gets ready what the user will ask for next. */
@Controller()
export class LoginController {
  constructor(private readonly cache: Cache) {}

  @Post('/login')
  login(@Query('user_id', Type.Integer()) userId: number, tasks: BackgroundTasks) {
    tasks.add(this.warmCache, userId);
    return { message: 'Logged in' };
  }

  @Get('/cache/:key', { errors: [NotFound] })
  async show(@Path('key', Type.String()) key: string) {
    const cached = OWN_KEY.test(key) ? await this.cache.get(key) : undefined;
    if (!cached) throw new NotFound(`There is nothing under '${key}'.`);
    return { key, ...cached };
  }

  private readonly warmCache = async (userId: number): Promise<void> => {
    const user = { id: userId, name: `User ${userId}` };
    const preferences = { theme: 'system', language: 'en' };
    await this.cache.set(`user:${userId}`, JSON.stringify(user), TTL_SECONDS);
    await this.cache.set(`pref:${userId}`, JSON.stringify(preferences), TTL_SECONDS);
  };
}
