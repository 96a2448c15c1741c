import {
  Controller,
  createApp,
  dependency,
  Depends,
  Get,
  header,
  NotFound,
  Path,
  secures,
} from 'thereafter';
import { Type, type Static } from 'typebox';

const User = Type.Object(
  { id: Type.Integer(), name: Type.String({ description: 'As on the door', examples: ['Ada'] }) },
  { $id: 'User' }, // a name of its own in the document
);

const token = secures(header('authorization', Type.String()), {
  bearer: { type: 'http', scheme: 'bearer' },
});
const currentUser = dependency({ token }, ({ token: text }) => text.replace('Bearer ', ''));

@Controller('/users', { tags: ['users'] })
class UsersController {
  @Get('/:id', { response: User, errors: [NotFound], summary: 'One user' })
  one(
    @Path('id', Type.Integer({ minimum: 1 })) id: number,
    @Depends(currentUser) name: string,
  ): Static<typeof User> {
    if (id > 1) throw new NotFound(`no user ${id}`);
    return { id, name };
  }
}

export const app = createApp({ title: 'Users', version: '1.0.0' }).include(UsersController);
