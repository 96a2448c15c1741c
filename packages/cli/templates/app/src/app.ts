import { createApp, type App } from 'thereafter';
import { AnnounceNote } from './announce-note.ts';
import { NotesController } from './notes-controller.ts';

/** A new app; each test starts one of its own. */
export function notesApp(): App {
  return createApp({ title: 'my-app' }).include(NotesController, AnnounceNote);
}

export const app = notesApp();
