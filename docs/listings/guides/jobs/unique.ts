import { Task } from 'thereafter';
import { Type, type Static } from 'typebox';

const Reindex = Type.Object({ shopId: Type.Integer() });
type Reindex = Static<typeof Reindex>;

export const indexed: number[] = [];

@Task(Reindex, { durable: true, unique: ({ shopId }) => `shop ${shopId}` })
export class ReindexShop {
  run({ shopId }: Reindex): void {
    indexed.push(shopId);
  }
}
