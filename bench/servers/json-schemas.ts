// The same for the frameworks that read JSON Schema.
import { Type } from 'typebox';

export const UserId = Type.Integer({ minimum: 1 });
export const Listing = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 100 }),
  active: Type.Boolean(),
});
export const ListedUser = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  email: Type.String(),
  limit: Type.Integer(),
  active: Type.Boolean(),
});
export const NewUser = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 100 }),
  email: Type.String({ minLength: 3, maxLength: 200 }),
  age: Type.Integer({ minimum: 0, maximum: 150 }),
});
export const User = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  email: Type.String(),
  age: Type.Integer(),
});
export const Thing = Type.Object({ route: Type.Integer(), id: Type.String() });
