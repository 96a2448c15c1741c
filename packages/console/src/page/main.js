import { ask } from './api.js';
import { JobsView } from './jobs.js';
import { notice } from './notice.js';
import { RoutesView } from './routes.js';
import { TasksView } from './tasks.js';

const connection = document.getElementById('connection');

const app = await ask('app').catch((error) => {
  notice(error.message, true);
  return { title: '', hasJobs: false, jobStates: [], routes: [] };
});
const views = {
  tasks: new TasksView(),
  jobs: new JobsView(app),
  routes: new RoutesView(app.routes),
};

if (app.title !== '') {
  document.getElementById('app-title').textContent = app.title;
  document.title = `${app.title} console`;
}
window.addEventListener('hashchange', show);
show();
follow();

/** Shows what the address says: `#/jobs/42` or `#/jobs?state=failed`, say. */
function show() {
  if (location.hash !== '' && !location.hash.startsWith('#/')) return; // a place in the page
  const [path = '', query] = location.hash.slice(2).split('?');
  const [asked, ...rest] = path.split('/');
  const name = Object.hasOwn(views, asked) ? asked : 'tasks';
  for (const link of document.querySelectorAll('[data-view]')) {
    if (link.dataset.view === name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  for (const [key, view] of Object.entries(views)) {
    const isShown = key === name;
    document.getElementById(key).hidden = !isShown;
    view.show(isShown, rest.map(decodeURIComponent), new URLSearchParams(query));
  }
}

function follow() {
  const events = new EventSource('./api/live');
  events.addEventListener('open', () => showConnection('live', true));
  // The browser connects again by itself, unless it was refused.
  events.addEventListener('error', () => {
    const isOver = events.readyState === EventSource.CLOSED;
    showConnection(isOver ? 'not connected' : 'connecting again', false);
    if (isOver) setTimeout(follow, 5000);
  });
  events.addEventListener('tasks', ({ data }) => views.tasks.take(JSON.parse(data)));
  events.addEventListener('jobs', () => views.jobs.refreshSoon());
}

function showConnection(text, isLive) {
  connection.textContent = text;
  connection.classList.toggle('is-live', isLive);
}
