import { ask, part } from './api.js';
import { element, setText, syncRows } from './element.js';
import { formatCount, formatTime } from './format.js';
import { JobSheet } from './job-sheet.js';
import { createActions, likelyActionOf } from './job-actions.js';
import { notice } from './notice.js';
import { showQueues } from './queues.js';

const REFRESH_MS = 2000;
const LEAST_REST_MS = 200;

const list = document.getElementById('job-list');
const empty = document.getElementById('job-empty');
const older = document.getElementById('job-older');
const newer = document.getElementById('job-newer');
const retryAll = document.getElementById('job-retry-all');
const form = document.getElementById('job-filter');
const queueSelect = document.getElementById('job-queue');
const taskInput = document.getElementById('job-task');

/** The durable jobs of the app. */
export class JobsView {
  #hasJobs;
  /** What a job can be, in the order of its life. */
  #states;
  #isShown = false;
  #rows = new Map();
  #filter = new URLSearchParams();
  /** Where the pages begin that were left for an older one; the last is the one that is shown. */
  #cursors = [''];
  #next = null;
  /** The jobs of the page that is shown. */
  #shown = [];
  /** Of the latest question: an answer that comes after a later one counts no more. */
  #asked = 0;
  #isSoon = false;
  /** How long the store is left alone: longer, where it takes long to answer. */
  #restMs = LEAST_REST_MS;
  /** What was said of a refresh that failed: not again every two seconds. */
  #trouble = '';
  #sheet = new JobSheet(() => {
    location.hash = this.#address();
  });

  constructor({ hasJobs, jobStates }) {
    this.#hasJobs = hasJobs;
    this.#states = jobStates;
    const none = document.getElementById('jobs-none');
    none.hidden = hasJobs;
    none.textContent =
      'This app has no durable jobs. With an engine, createApp({ jobs: jobs({ driver }) }), they appear here.';
    document.getElementById('jobs-some').hidden = !hasJobs;
    if (!hasJobs) return;
    form.addEventListener('submit', (event) => event.preventDefault());
    form.addEventListener('change', () => {
      const filter = new URLSearchParams({
        queue: queueSelect.value,
        task: taskInput.value.trim(),
      });
      this.#go({ ...Object.fromEntries(filter), state: this.#filter.get('state') ?? '' });
    });
    older.addEventListener('click', () => this.#turn([...this.#cursors, this.#next]));
    newer.addEventListener('click', () => this.#turn(this.#cursors.slice(0, -1)));
    retryAll.addEventListener('click', () => void this.#retryAll());
    // Jobs of other processes, and the progress of those that run, are not told.
    setInterval(() => document.hidden || this.refreshSoon(), REFRESH_MS);
  }

  /** @param id - Of the job that is shown by itself; none for the list alone. */
  show(isShown, [id], filter) {
    this.#isShown = isShown && this.#hasJobs;
    if (!this.#isShown) return this.#sheet.close();
    if (id === undefined) {
      this.#sheet.close();
      if (String(filter) !== String(this.#filter)) this.#cursors = [''];
      this.#filter = filter;
    } else this.#sheet.open(id);
    void this.#refresh();
  }

  refreshSoon() {
    if (!this.#isShown || this.#isSoon) return;
    this.#isSoon = true;
    setTimeout(async () => {
      if (this.#isShown) await this.#refresh();
      this.#isSoon = false;
    }, this.#restMs);
  }

  #address() {
    return String(this.#filter) === '' ? '#/jobs' : `#/jobs?${this.#filter}`;
  }

  #go(filter) {
    const given = Object.entries(filter).filter(([, value]) => value !== '');
    location.hash = given.length === 0 ? '#/jobs' : `#/jobs?${new URLSearchParams(given)}`;
  }

  #turn(cursors) {
    this.#cursors = cursors;
    void this.#refresh().then(() => document.getElementById('job-list-title').scrollIntoView());
  }

  /** One after another, so that a store that cannot take them is not asked for the rest. */
  async #retryAll() {
    const failed = this.#shown.filter(({ state }) => state === 'failed');
    retryAll.disabled = true;
    let count = 0;
    try {
      for (const { id } of failed) {
        await ask(`jobs/${part(id)}/retry`, 'POST');
        count++;
      }
      notice(`${formatCount(count, 'job')} put back.`);
    } catch (error) {
      notice(`${formatCount(count, 'job')} of ${failed.length} put back. ${error.message}`, true);
    } finally {
      retryAll.disabled = false;
      this.#turn(['']);
    }
  }

  async #refresh() {
    const asked = ++this.#asked;
    const startedAtMs = performance.now();
    const query = new URLSearchParams(this.#filter);
    if (this.#cursors.at(-1) !== '') query.set('after', this.#cursors.at(-1));
    try {
      const [{ queues, schedules }, { items, next }] = await Promise.all([
        ask('queues'),
        ask(`jobs?${query}`),
        this.#sheet.refresh(),
      ]);
      if (asked !== this.#asked) return;
      this.#trouble = '';
      showQueues(queues, () => void this.#refresh());
      showSchedules(schedules);
      this.#showFilter(queues);
      this.#showJobs(items);
      this.#next = next;
      older.hidden = next === null;
      newer.hidden = this.#cursors.length === 1;
    } catch (error) {
      if (asked !== this.#asked || error.message === this.#trouble) return;
      this.#trouble = error.message;
      notice(error.message, true);
    } finally {
      this.#restMs = Math.max(LEAST_REST_MS, 4 * (performance.now() - startedAtMs));
    }
  }

  #showFilter(queues) {
    const queue = this.#filter.get('queue') ?? '';
    const counted = queues.filter(({ name }) => queue === '' || name === queue);
    const countOf = (state) => counted.reduce((sum, { counts }) => sum + counts[state], 0);
    const tabs = this.#states.map((state) => ({ state, count: countOf(state) }));
    const all = { state: '', count: tabs.reduce((sum, { count }) => sum + count, 0) };
    showTabs([all, ...tabs], this.#filter);
    const names = [
      ...new Set([...queues.map(({ name }) => name), ...(queue === '' ? [] : [queue])]),
    ];
    const options = ['', ...names];
    if (options.join('\n') !== [...queueSelect.options].map(({ value }) => value).join('\n')) {
      queueSelect.replaceChildren(
        ...options.map((name) => element('option', { value: name }, [name === '' ? 'all' : name])),
      );
    }
    if (document.activeElement !== queueSelect) queueSelect.value = queue;
    if (document.activeElement !== taskInput) taskInput.value = this.#filter.get('task') ?? '';
  }

  #showJobs(jobs) {
    const create = (job) => createRow(job, () => void this.#refresh());
    syncRows(list, this.#rows, jobs, ({ id }) => id, create);
    empty.hidden = jobs.length > 0;
    this.#shown = jobs;
    const failedCount = jobs.filter(({ state }) => state === 'failed').length;
    retryAll.hidden = this.#filter.get('state') !== 'failed' || failedCount < 2;
    setText(retryAll, `Retry these ${failedCount}`);
    const isFiltered = String(this.#filter) !== '';
    setText(empty, isFiltered ? 'No job fits the filter.' : 'The store has no job.');
  }
}

const tabs = new Map();

function showTabs(states, filter) {
  syncRows(
    document.getElementById('job-states'),
    tabs,
    states,
    ({ state }) => state,
    ({ state }) => {
      const count = element('span', { class: 'count' });
      const label = state === '' ? 'All' : `${state[0].toUpperCase()}${state.slice(1)}`;
      const node = element('a', {}, [`${label} `, count]);
      return {
        node,
        update(now) {
          const query = new URLSearchParams(filter);
          if (state === '') query.delete('state');
          else query.set('state', state);
          node.href = String(query) === '' ? '#/jobs' : `#/jobs?${query}`;
          node.dataset.state = state;
          const isCurrent = (filter.get('state') ?? '') === state;
          if (isCurrent) node.setAttribute('aria-current', 'true');
          else node.removeAttribute('aria-current');
          setText(count, now.count.toLocaleString());
        },
      };
    },
  );
}

function createRow({ id }, onDone) {
  const [state, queue, attempt, when, error] = [
    element('span', { class: 'state' }),
    element('span', { class: 'queue' }),
    element('span', { class: 'number attempt' }),
    element('time', { class: 'when' }),
    element('span', { class: 'error' }),
  ];
  const due = element('span', { class: 'due' });
  const progress = element('progress', { max: '1', 'aria-label': 'Progress' });
  const link = element('a', { class: 'name', href: `#/jobs/${part(id)}` });
  const name = element('span', { class: 'job-name' }, [
    link,
    element('span', { class: 'id' }, [id]),
    due,
    progress,
  ]);
  const actions = element('span', { class: 'row-actions' });
  const node = element('li', {}, [
    element('div', { class: 'job-columns' }, [state, name, queue, attempt, when, actions, error]),
  ]);
  let shownState;
  return { node, update };

  function update(job) {
    node.dataset.state = job.state;
    setText(state, job.state);
    setText(link, job.task);
    setText(queue, job.queue);
    setText(attempt, `${job.attempt} of ${job.attempts}`);
    setText(when, formatTime(new Date(job.enqueuedAt)));
    when.dateTime = job.enqueuedAt;
    setText(error, job.error ?? '');
    error.hidden = job.error === null;
    setText(due, `not before ${formatTime(new Date(job.runAt))}`);
    due.hidden = job.state !== 'scheduled';
    progress.value = job.progress;
    progress.hidden = job.state !== 'running' || job.progress === 0;
    if (job.state === shownState) return;
    shownState = job.state;
    const had = actions.contains(document.activeElement);
    const report = { done: notice, failed: (text) => notice(text, true) };
    actions.replaceChildren(
      ...createActions(job, likelyActionOf(job.state), { ...report, changed: onDone }),
    );
    if (had) (actions.firstElementChild ?? link).focus();
  }
}

function showSchedules(schedules) {
  document.getElementById('schedules').hidden = schedules.length === 0;
  document
    .getElementById('schedule-list')
    .replaceChildren(
      ...schedules.map(({ task, cron, timeZone, nextRunAt }) =>
        element('tr', {}, [
          element('td', {}, [task]),
          element('td', { class: 'id' }, [cron]),
          element('td', {}, [timeZone]),
          element('td', {}, [nextRunAt === null ? 'never' : formatTime(new Date(nextRunAt))]),
        ]),
      ),
    );
}
