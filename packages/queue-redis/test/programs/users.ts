import { Injectable } from 'thereafter';
import type { NewUser, Page, User } from './schemas.js';

@Injectable()
export class UserRepo {
  private rows: (User & { passwordHash: string })[] = [];
  async insert(u: NewUser) {
    const row = { id: this.rows.length + 1, passwordHash: 'x', ...u };
    this.rows.push(row);
    return row;
  }
  async list(p: Page) {
    return this.rows.slice(p.after ?? 0, (p.after ?? 0) + p.limit);
  }
  async find(id: number) {
    return this.rows.find((r) => r.id === id);
  }
}
