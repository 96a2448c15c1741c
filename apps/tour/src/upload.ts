import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BackgroundTasks,
  Controller,
  File,
  Inject,
  inThread,
  Post,
  UploadedFile,
} from 'thereafter';
import type * as module from './compress-image.ts';
import { Settings } from './settings.ts';

const compressInThread = inThread<typeof module.compressImage>(
  new URL('./compress-image.js', import.meta.url),
  'compressImage',
);

/** Heavy computing: in a worker thread, so that it holds up no other request. */
@Controller('/upload')
export class UploadController {
  constructor(@Inject(Settings) private readonly settings: Settings) {}

  /** The file is on disk, under a name of the app's own, until the task has ended, however it ends. */
  @Post('/')
  upload(@File('file') file: UploadedFile, tasks: BackgroundTasks) {
    tasks.with({ timeout: '1m' }).add(this.compressImage, file.path);
    return { filename: file.name, status: 'processing' };
  }

  private readonly compressImage = async (source: string): Promise<void> => {
    const folder = this.settings.PROCESSED_DIR;
    const target = join(folder, `${randomUUID()}.webp`);
    const unfinished = `${target}.part`;
    await mkdir(folder, { recursive: true });
    try {
      await compressInThread(source, unfinished);
      await rename(unfinished, target);
    } finally {
      await rm(unfinished, { force: true }); // a thread that was ended cannot
    }
  };
}
