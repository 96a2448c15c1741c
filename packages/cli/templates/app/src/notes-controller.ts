import { BackgroundTasks, Body, Controller, Get, NotFound, Path, Post } from 'thereafter';
import { Type } from 'typebox';
import { AnnounceNote } from './announce-note.ts';
import { NewNote, Note, Notes } from './notes.ts';

@Controller('/notes', { tags: ['notes'] })
export class NotesController {
  constructor(private readonly notes: Notes) {}

  @Get('/', { response: Type.Array(Note) })
  list(): Note[] {
    return this.notes.all();
  }

  @Get('/:id', { response: Note, errors: [NotFound] })
  one(@Path('id', Type.Integer({ minimum: 1 })) id: number): Note {
    const note = this.notes.all().find((one) => one.id === id);
    if (!note) throw new NotFound(`There is no note ${id}.`);
    return note;
  }

  @Post('/', { response: Note, status: 201 })
  add(@Body(NewNote) text: NewNote, tasks: BackgroundTasks): Note {
    const note = this.notes.add(text);
    tasks.add(AnnounceNote, note); // runs when the answer is out
    return note;
  }
}
