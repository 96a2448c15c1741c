import { Controller, createApp, Get, Query } from 'thereafter';
import { Type, type Static } from 'typebox';

const Search = Type.Object({
  text: Type.String({ minLength: 2 }),
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
  tags: Type.Optional(Type.Array(Type.String())),
});
type Search = Static<typeof Search>;

@Controller('/notes')
class NotesController {
  @Get('/')
  search(@Query(Search) search: Search) {
    return search;
  }
}

await createApp().include(NotesController).run();
