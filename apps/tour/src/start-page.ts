import { Controller, Get, sendFile, sse } from 'thereafter';
import { Activity } from './activity.ts';
import { STORIES } from './stories.ts';

/** The files of the start page; the build puts them beside the bundle. */
export const PAGE_FOLDER = new URL('./page/', import.meta.url);

/** Lists the routes, each with a form to try it, and shows live what happens after the responses. */
@Controller('/', { tags: ['start page'] })
export class StartPageController {
  constructor(private readonly activity: Activity) {}

  @Get('/')
  page() {
    return sendFile(new URL('index.html', PAGE_FOLDER));
  }

  @Get('/stories')
  stories() {
    return STORIES;
  }

  @Get('/activity')
  follow() {
    return sse(this.activity.follow);
  }
}
