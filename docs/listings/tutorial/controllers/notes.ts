import { Body, Controller, Delete, Get, HttpReply, NotFound, Path, Post } from 'thereafter';
import { Type, type Static } from 'typebox';

const NewNote = Type.Object({ text: Type.String({ minLength: 1 }) });
type NewNote = Static<typeof NewNote>;

const Note = Type.Object({ id: Type.Integer(), text: Type.String() });

@Controller('/notes')
export class NotesController {
  private notes = [{ id: 1, text: 'Buy milk', author: 'ada@example.com' }];

  @Get('/', { response: Type.Array(Note) })
  list() {
    return this.notes;
  }

  @Post('/', { response: { 201: Note } })
  create(@Body(NewNote) { text }: NewNote) {
    const note = { id: this.notes.length + 1, text, author: 'you@example.com' };
    this.notes.push(note);
    return new HttpReply(note, { status: 201, headers: { location: `/api/notes/${note.id}` } });
  }

  @Delete('/:id')
  remove(@Path('id', Type.Integer()) id: number) {
    const rest = this.notes.filter((note) => note.id !== id);
    if (rest.length === this.notes.length) throw new NotFound(`There is no note ${id}.`);
    this.notes = rest;
  }
}
