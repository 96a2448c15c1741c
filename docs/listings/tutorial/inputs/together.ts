import { Body, Controller, Cookie, createApp, Header, Path, Put, Query } from 'thereafter';
import { Type, type Static } from 'typebox';

const Change = Type.Object({ text: Type.String() });

@Controller('/notes')
class NotesController {
  @Put('/:id')
  change(
    @Path('id', Type.Integer()) id: number,
    @Query('notify', Type.Boolean({ default: false })) notify: boolean,
    @Header('accept-language', Type.String({ default: 'en' })) language: string,
    @Cookie('theme', Type.Optional(Type.String())) theme: string | undefined,
    @Body(Change) { text }: Static<typeof Change>,
  ) {
    return { id, notify, language, theme: theme ?? 'light', text };
  }
}

await createApp().include(NotesController).run();
