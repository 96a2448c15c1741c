// For the frameworks that bring no validation of their own.
import { z } from 'zod';

export const UserId = z.object({ id: z.coerce.number().int().min(1) });
export const Listing = z.object({
  limit: z.coerce.number().int().min(1).max(100),
  active: z.enum(['true', 'false']).transform((text) => text === 'true'),
});
export const ListedUser = z.object({
  id: z.number(),
  name: z.string(),
  email: z.string(),
  limit: z.number(),
  active: z.boolean(),
});
export const NewUser = z.object({
  name: z.string().min(1).max(100),
  email: z.string().min(3).max(200),
  age: z.number().int().min(0).max(150),
});
export const User = z.object({
  id: z.number(),
  name: z.string(),
  email: z.string(),
  age: z.number(),
});
