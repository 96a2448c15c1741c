import { BackgroundTasks, Context, Controller, dependency, Get } from 'thereafter';

export const visits: string[] = [];

/** Whoever uses it leaves a line; the request does not wait for it. */
const trackVisit = dependency({ ctx: Context, tasks: BackgroundTasks }, ({ ctx, tasks }) => {
  tasks.add((path: string) => void visits.push(path), ctx.url.pathname);
});

@Controller('/pages', { use: [trackVisit] })
export class PagesController {
  @Get('/:name')
  show() {
    return 'a page';
  }
}
