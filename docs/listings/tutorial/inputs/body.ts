import { Body, Controller, createApp, Post } from 'thereafter';
import { Type, type Static } from 'typebox';

const NewNote = Type.Object({
  text: Type.String({ minLength: 1, maxLength: 500 }),
  remindAt: Type.Optional(Type.String({ format: 'date-time' })),
  tags: Type.Array(Type.String(), { default: [] }),
});
type NewNote = Static<typeof NewNote>;

@Controller('/notes')
class NotesController {
  @Post('/', { status: 201 })
  create(@Body(NewNote) note: NewNote) {
    return note;
  }
}

await createApp().include(NotesController).run();
