import { createApp } from 'thereafter';
import { NotesController } from './notes.ts';

await createApp({ title: 'Notes' }).include('/api', NotesController).run();
