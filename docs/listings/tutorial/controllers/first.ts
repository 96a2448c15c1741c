import { Controller, createApp, Get, Path } from 'thereafter';
import { Type } from 'typebox';

@Controller('/notes')
class NotesController {
  @Get('/')
  list() {
    return [{ id: 1, text: 'Buy milk' }];
  }

  @Get('/:id')
  one(@Path('id', Type.Integer()) id: number) {
    return { id, text: 'Buy milk' };
  }
}

await createApp().include(NotesController).run();
