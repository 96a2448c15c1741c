import { Task, type JobContext } from 'thereafter';
import { Note } from './notes.ts';

@Task(Note)
export class AnnounceNote {
  run(note: Note, job: JobContext): void {
    job.log.info({ note: note.id }, `a new note: ${note.text}`);
  }
}
