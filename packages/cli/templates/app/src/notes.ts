import { Injectable } from 'thereafter';
import { Type, type Static } from 'typebox';

export const NewNote = Type.Object({ text: Type.String({ minLength: 1 }) });
export const Note = Type.Object({ id: Type.Integer(), text: Type.String() });

export type NewNote = Static<typeof NewNote>;
export type Note = Static<typeof Note>;

/** In memory: they are gone when the app ends. */
@Injectable()
export class Notes {
  readonly #notes: Note[] = [];

  all(): Note[] {
    return this.#notes;
  }

  add({ text }: NewNote): Note {
    const note = { id: this.#notes.length + 1, text };
    this.#notes.push(note);
    return note;
  }
}
