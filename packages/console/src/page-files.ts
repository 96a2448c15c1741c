// Made by inline-page.ts of the files in page/, where they are to be changed.

export const PAGE_FILES: Readonly<Record<string, string>> = {
  "api.js": `/**
 * Asks the app. All addresses are relative to the page.
 *
 * @throws {Error} With what the app says is wrong, when the answer is a problem.
 */
export async function ask(path, method = 'GET') {
  let response;
  try {
    response = await fetch(\`./api/\${path}\`, { method, headers: { accept: 'application/json' } });
  } catch {
    throw new Error('The app cannot be reached.');
  }
  if (response.status === 204) return undefined;
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  throw new Error(toMessage(response, text));
}

function toMessage({ status, headers }, text) {
  if (headers.get('content-type') !== 'application/problem+json')
    return \`The app answers \${status}.\`;
  const { title, detail, requestId } = JSON.parse(text);
  return status < 500 ? (detail ?? title) : \`\${detail ?? title} Request \${requestId}.\`;
}

/** A part of a path. */
export function part(text) {
  return encodeURIComponent(text);
}
`,
  "element.js": `/** Makes an element. What is put into it as text stays text. */
export function element(tag, attributes = {}, children = []) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Sets a text only where it differs, so that a selection in it is kept. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Brings the children of a list in line with items. A row that stays is kept, and with it the focus.
 *
 * @param create - Makes a row of an item: \`{ node, update(item) }\`. \`update\` is called for a new one too.
 */
export function syncRows(list, rows, items, keyOf, create) {
  const keys = new Set(items.map(keyOf));
  for (const [key, row] of rows) {
    if (keys.has(key)) continue;
    row.node.remove();
    rows.delete(key);
  }
  let next = list.firstChild;
  for (const item of items) {
    const key = keyOf(item);
    const row = rows.get(key) ?? create(item);
    rows.set(key, row);
    row.update(item);
    if (row.node === next) next = next.nextSibling;
    else list.insertBefore(row.node, next);
  }
}
`,
  "format.js": `const time = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const dateAndTime = new Intl.DateTimeFormat(undefined, {
  dateStyle: 'medium',
  timeStyle: 'medium',
});

/** The time of today, with the date for every other day. */
export function formatTime(date) {
  const isToday = date.toDateString() === new Date().toDateString();
  return (isToday ? time : dateAndTime).format(date);
}

/** A duration for people: three digits at most. */
export function formatMs(ms) {
  if (ms < 0.05) return '< 0.1 ms';
  if (ms < 10) return \`\${Number(ms.toFixed(1))} ms\`;
  if (ms < 999.5) return \`\${Math.round(ms)} ms\`;
  if (ms < 59_950) return \`\${(ms / 1000).toFixed(ms < 9995 ? 2 : 1)} s\`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 60) return \`\${minutes} min\`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? \`\${hours} h\` : \`\${Math.round(hours / 24)} d\`;
}

export function formatCount(count, one, many = \`\${one}s\`) {
  return \`\${count.toLocaleString()} \${count === 1 ? one : many}\`;
}

/** What a state is called, where its name is no word. */
export function stateName(state) {
  return { timedOut: 'timed out', started: 'running', queued: 'waiting' }[state] ?? state;
}
`,
  "icon.svg": `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1d1c1a"/><rect x="6" y="9" width="7" height="5" rx="2" fill="#fbfaf7"/><rect x="13" y="18" width="13" height="5" rx="2" fill="#8aa2ff"/></svg>
`,
  "index.html": `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <meta name="robots" content="noindex" />
    <title>Console</title>
    <link rel="icon" href="page/icon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="page/style.css" />
    <script type="module" src="page/main.js"></script>
  </head>
  <body>
    <a class="skip" href="#main">Skip to the content</a>
    <header class="top">
      <p class="brand"><span id="app-title">Thereafter</span> <span class="soft">console</span></p>
      <nav aria-label="Console">
        <a href="#/tasks" data-view="tasks">Tasks</a>
        <a href="#/jobs" data-view="jobs">Jobs</a>
        <a href="#/routes" data-view="routes">Routes</a>
      </nav>
      <p id="connection" class="connection" role="status">connecting</p>
    </header>
    <main id="main" tabindex="-1">
      <noscript><p class="note">The console needs JavaScript.</p></noscript>
      <section id="tasks" aria-labelledby="tasks-title" hidden>
        <h1 id="tasks-title">Background tasks</h1>
        <p class="lead">The latest of this process, the newest first, as they happen.</p>
        <div class="tools">
          <div id="task-kinds" class="tabs" role="group" aria-label="Which tasks"></div>
          <label class="search">
            <span class="label">Filter</span>
            <input
              id="task-filter"
              type="search"
              placeholder="name or request id"
              autocomplete="off"
              spellcheck="false"
            />
          </label>
        </div>
        <div class="head task-columns" aria-hidden="true">
          <span>State</span><span>Task</span><span>Request</span><span>Queued</span
          ><span class="number">Waited</span><span class="number">Took</span>
        </div>
        <ol id="task-list" class="rows" role="list"></ol>
        <p id="task-empty" class="note" hidden></p>
        <p class="more"><button id="task-more" type="button" hidden>Show older ones</button></p>
      </section>
      <section id="jobs" aria-labelledby="jobs-title" hidden>
        <h1 id="jobs-title">Jobs</h1>
        <p class="lead">Durable tasks, as the store has them, whichever process runs them.</p>
        <p id="jobs-none" class="note" hidden></p>
        <div id="jobs-some" hidden>
          <h2 id="queues-title">Queues</h2>
          <ul id="queue-list" class="queues" role="list" aria-labelledby="queues-title"></ul>
          <h2 id="job-list-title">In store</h2>
          <div class="tools">
            <nav id="job-states" class="tabs" aria-label="States"></nav>
            <form id="job-filter" class="filters">
              <label class="search">
                <span class="label">Queue</span>
                <select id="job-queue" name="queue"></select>
              </label>
              <label class="search">
                <span class="label">Task</span>
                <input
                  id="job-task"
                  name="task"
                  type="search"
                  placeholder="its whole name"
                  autocomplete="off"
                  spellcheck="false"
                />
              </label>
            </form>
          </div>
          <div class="head job-columns" aria-hidden="true">
            <span>State</span><span>Task</span><span>Queue</span><span class="number">Attempt</span
            ><span>Stored</span><span></span>
          </div>
          <ol id="job-list" class="rows" role="list" aria-labelledby="job-list-title"></ol>
          <p id="job-empty" class="note" hidden></p>
          <p class="more">
            <button id="job-newer" type="button" hidden>Newer</button>
            <button id="job-older" type="button" hidden>Older</button>
            <button id="job-retry-all" type="button" hidden></button>
          </p>
          <div id="schedules" hidden>
            <h2 id="schedules-title">Schedules</h2>
            <div class="scroll" tabindex="0" role="group" aria-labelledby="schedules-title">
              <table aria-labelledby="schedules-title">
                <thead>
                  <tr>
                    <th scope="col">Task</th>
                    <th scope="col">Cron</th>
                    <th scope="col">Time zone</th>
                    <th scope="col">Next</th>
                  </tr>
                </thead>
                <tbody id="schedule-list"></tbody>
              </table>
            </div>
          </div>
        </div>
      </section>
      <section id="routes" aria-labelledby="routes-title" hidden>
        <h1 id="routes-title">Routes</h1>
        <p class="lead">What this app answers, in the order of its registration.</p>
        <div class="tools">
          <p id="route-count" class="soft"></p>
          <label class="search">
            <span class="label">Filter</span>
            <input
              id="route-filter"
              type="search"
              placeholder="method, path or handler"
              autocomplete="off"
              spellcheck="false"
            />
          </label>
        </div>
        <div class="head route-columns" aria-hidden="true">
          <span>Method</span><span>Path</span><span>Handler</span>
        </div>
        <ol id="route-list" class="rows" role="list"></ol>
        <p id="route-empty" class="note" hidden>No route fits the filter.</p>
      </section>
    </main>
    <dialog id="sheet" aria-labelledby="sheet-title">
      <div class="sheet-top">
        <div>
          <h2 id="sheet-title" tabindex="-1"></h2>
          <p id="sheet-id" class="id"></p>
        </div>
        <button id="sheet-close" type="button" class="quiet" aria-label="Close">✕</button>
      </div>
      <div id="sheet-actions" class="actions"></div>
      <p id="sheet-alert" class="alert" role="alert"></p>
      <div id="sheet-body"></div>
    </dialog>
    <p id="notice" class="notice" role="status" popover="manual"></p>
  </body>
</html>
`,
  "job-actions.js": `import { ask, part } from './api.js';
import { element } from './element.js';

const ACTIONS = {
  retry: {
    label: 'Retry',
    // It has done its work: to do that twice is another matter than to try once more.
    labelOfCompleted: 'Run again',
    done: (job) => \`\${job.task} is \${job.state} again.\`,
  },
  cancel: {
    label: 'Cancel',
    done: (job) =>
      job.state === 'running' ? \`\${job.task} was asked to stop.\` : \`\${job.task} is cancelled.\`,
  },
  remove: {
    label: 'Remove',
    confirm: 'Remove for good',
    done: () => 'The job is removed.',
  },
};

/** What is done about a job at once, without a look at it; none where there is nothing to be done. */
export function likelyActionOf(state) {
  return state === 'completed' || state === 'cancelled' ? [] : actionsOf(state).slice(0, 1);
}

/** What can be done about a job, the likeliest first. */
export function actionsOf(state) {
  if (state === 'running') return ['cancel'];
  if (state === 'scheduled' || state === 'available') return ['cancel', 'remove'];
  return ['retry', 'remove'];
}

/** A button for each action. @param report - Told what came of it: \`done\`, \`failed\` and then \`changed\`. */
export function createActions(job, names, report) {
  return names.map((name) => createAction(job, name, report));
}

function createAction({ id, task, state }, name, report) {
  const { labelOfCompleted, confirm, done, label: usual } = ACTIONS[name];
  const label = (state === 'completed' && labelOfCompleted) || usual;
  const button = element('button', { type: 'button', class: 'small' }, [label]);
  button.classList.toggle('primary', name === 'retry' && state === 'failed');
  button.setAttribute('aria-label', \`\${label} \${task} \${id}\`);
  let isAsked = confirm === undefined;
  button.addEventListener('blur', () => {
    isAsked = confirm === undefined;
    button.textContent = label;
    button.classList.remove('is-asked');
  });
  button.addEventListener('click', async () => {
    if (!isAsked) {
      isAsked = true;
      button.textContent = \`\${confirm}?\`;
      button.classList.add('is-asked');
      button.focus(); // not every browser does so by itself, and without there is no blur
      return;
    }
    button.setAttribute('aria-busy', 'true');
    try {
      const job = await ask(\`jobs/\${part(id)}/\${name}\`, 'POST');
      report.done(done(job));
    } catch (error) {
      report.failed(error.message);
    } finally {
      button.removeAttribute('aria-busy');
      report.changed(name);
    }
  });
  return button;
}
`,
  "job-sheet.js": `import { ask, part } from './api.js';
import { element, setText } from './element.js';
import { formatMs, formatTime } from './format.js';
import { actionsOf, createActions } from './job-actions.js';
import { notice } from './notice.js';

const sheet = document.getElementById('sheet');
const title = document.getElementById('sheet-title');
const idPlace = document.getElementById('sheet-id');
const actions = document.getElementById('sheet-actions');
const alert = document.getElementById('sheet-alert');
const body = document.getElementById('sheet-body');

/** All of one job, in a sheet over the list. */
export class JobSheet {
  #id;
  /** What is shown, as text: as long as it is the same nothing is drawn again, and a selection stays. */
  #shown = '';

  /** @param onClose - The user has closed it. */
  constructor(onClose) {
    document.getElementById('sheet-close').addEventListener('click', () => onClose());
    sheet.addEventListener('cancel', (event) => {
      event.preventDefault(); // the address says what is open
      onClose();
    });
    sheet.addEventListener('click', (event) => {
      if (event.target === sheet) onClose(); // its backdrop: what is inside lies in other elements
    });
  }

  open(id) {
    if (this.#id !== id) this.#clear(id);
    if (!sheet.open) sheet.showModal();
  }

  close() {
    this.#id = undefined;
    sheet.close();
  }

  #clear(id) {
    this.#id = id;
    this.#shown = '';
    title.textContent = 'Job';
    idPlace.textContent = id;
    alert.textContent = '';
    actions.replaceChildren();
    body.replaceChildren();
  }

  async refresh() {
    const id = this.#id;
    if (id === undefined) return;
    try {
      const job = await ask(\`jobs/\${part(id)}\`);
      if (id === this.#id) this.#show(job);
    } catch (error) {
      if (id !== this.#id) return;
      this.#clear(id);
      alert.textContent = error.message;
    }
  }

  #show(job) {
    const text = JSON.stringify(job);
    if (text === this.#shown) return;
    const isOtherState = this.#shown === '' || JSON.parse(this.#shown).state !== job.state;
    this.#shown = text;
    setText(title, job.task);
    if (isOtherState) this.#showActions(job);
    const scrolled = sheet.scrollTop;
    const open = new Set([...body.querySelectorAll('details[open]')].map(({ id }) => id));
    const closed = new Set([...body.querySelectorAll('details:not([open])')].map(({ id }) => id));
    body.replaceChildren(...createBody(job));
    for (const details of body.querySelectorAll('details')) {
      if (open.has(details.id)) details.open = true;
      if (closed.has(details.id)) details.open = false;
    }
    sheet.scrollTop = scrolled;
  }

  #showActions(job) {
    const had = actions.contains(document.activeElement);
    const report = {
      done: (said) => {
        alert.textContent = '';
        notice(said);
      },
      failed: (said) => (alert.textContent = said),
      changed: (name) => {
        if (name === 'remove' && alert.textContent === '')
          document.getElementById('sheet-close').click();
        else void this.refresh();
      },
    };
    const state = element('span', { class: 'state' }, [job.state]);
    const buttons = createActions(job, actionsOf(job.state), report);
    const place = element('span', { class: 'state-of-job' }, [state]);
    place.dataset.state = job.state;
    actions.replaceChildren(place, ...buttons);
    if (had) title.focus();
  }
}

function createBody(job) {
  return [
    ...(job.state === 'running' || job.progress > 0 ? [createProgress(job)] : []),
    createFacts(job),
    ...job.errors.toReversed().map((error, i) => createError(error, i === 0)),
    ...createJson('Payload', job.payload),
    ...(job.state === 'completed' ? createJson('Result', job.result) : []),
  ];
}

function createProgress({ progress }) {
  const percent = \`\${Math.round(progress * 100)} %\`;
  return element('p', { class: 'progress' }, [
    element('progress', { max: '1', value: String(progress), 'aria-label': 'Progress' }),
    percent,
  ]);
}

function createFacts(job) {
  // The store keeps whole milliseconds.
  const span = (from, to) => (from === to ? '< 1 ms' : formatMs(Date.parse(to) - Date.parse(from)));
  const facts = [
    ['Queue', job.queue],
    ['Attempt', \`\${job.attempt} of \${job.attempts}\`],
    ['Priority', String(job.priority)],
    ['Stored', at(job.enqueuedAt)],
    ['Runs from', job.state === 'scheduled' || job.runAt !== job.enqueuedAt ? at(job.runAt) : null],
    ['For the tick', at(job.scheduledFor)],
    ['Started', at(job.startedAt)],
    ['Ended', at(job.finishedAt)],
    ['Took', job.startedAt && job.finishedAt ? span(job.startedAt, job.finishedAt) : null],
  ];
  return element(
    'dl',
    {},
    facts
      .filter(([, value]) => value !== null)
      .flatMap(([label, value]) => [element('dt', {}, [label]), element('dd', {}, [value])]),
  );
}

function at(time) {
  if (time === null) return null;
  return element('time', { datetime: time, title: time }, [formatTime(new Date(time))]);
}

function createError({ name, message, stack, attempt, at: time }, isLatest) {
  const summary = element('summary', {}, [
    element('span', { class: 'soft' }, [\`Attempt \${attempt}, \${formatTime(new Date(time))}\`]),
    element('span', { class: 'error-message' }, [\`\${name}: \${message}\`]),
  ]);
  const text = element('pre', { tabindex: '0', 'aria-label': 'Stack' }, [
    stack ?? 'It had no stack.',
  ]);
  const details = element('details', { class: 'job-error', id: \`error-\${attempt}-\${time}\` }, [
    summary,
    text,
  ]);
  details.open = isLatest;
  return details;
}

function createJson(label, value) {
  const id = \`json-\${label.toLowerCase()}\`;
  const text = JSON.stringify(value, null, 2) ?? 'null';
  return [
    element('h3', { id }, [label]),
    element('pre', { tabindex: '0', 'aria-labelledby': id }, [text]),
  ];
}
`,
  "jobs.js": `import { ask, part } from './api.js';
import { element, setText, syncRows } from './element.js';
import { formatCount, formatTime } from './format.js';
import { JobSheet } from './job-sheet.js';
import { createActions, likelyActionOf } from './job-actions.js';
import { notice } from './notice.js';
import { showQueues } from './queues.js';

const STATES = ['scheduled', 'available', 'running', 'completed', 'failed', 'cancelled'];
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

  constructor(hasJobs) {
    this.#hasJobs = hasJobs;
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
    return String(this.#filter) === '' ? '#/jobs' : \`#/jobs?\${this.#filter}\`;
  }

  #go(filter) {
    const given = Object.entries(filter).filter(([, value]) => value !== '');
    location.hash = given.length === 0 ? '#/jobs' : \`#/jobs?\${new URLSearchParams(given)}\`;
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
        await ask(\`jobs/\${part(id)}/retry\`, 'POST');
        count++;
      }
      notice(\`\${formatCount(count, 'job')} put back.\`);
    } catch (error) {
      notice(\`\${formatCount(count, 'job')} of \${failed.length} put back. \${error.message}\`, true);
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
        ask(\`jobs?\${query}\`),
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
    const tabs = ['', ...STATES].map((state) => {
      const count = state === '' ? STATES.reduce((n, s) => n + countOf(s), 0) : countOf(state);
      return { state, count };
    });
    showTabs(tabs, this.#filter);
    const names = [
      ...new Set([...queues.map(({ name }) => name), ...(queue === '' ? [] : [queue])]),
    ];
    const options = ['', ...names];
    if (options.join('\\n') !== [...queueSelect.options].map(({ value }) => value).join('\\n')) {
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
    setText(retryAll, \`Retry these \${failedCount}\`);
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
      const label = state === '' ? 'All' : \`\${state[0].toUpperCase()}\${state.slice(1)}\`;
      const node = element('a', {}, [\`\${label} \`, count]);
      return {
        node,
        update(now) {
          const query = new URLSearchParams(filter);
          if (state === '') query.delete('state');
          else query.set('state', state);
          node.href = String(query) === '' ? '#/jobs' : \`#/jobs?\${query}\`;
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
  const link = element('a', { class: 'name', href: \`#/jobs/\${part(id)}\` });
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
    setText(attempt, \`\${job.attempt} of \${job.attempts}\`);
    setText(when, formatTime(new Date(job.enqueuedAt)));
    when.dateTime = job.enqueuedAt;
    setText(error, job.error ?? '');
    error.hidden = job.error === null;
    setText(due, \`not before \${formatTime(new Date(job.runAt))}\`);
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
`,
  "main.js": `import { ask } from './api.js';
import { JobsView } from './jobs.js';
import { notice } from './notice.js';
import { RoutesView } from './routes.js';
import { TasksView } from './tasks.js';

const connection = document.getElementById('connection');

const app = await ask('app').catch((error) => {
  notice(error.message, true);
  return { title: '', hasJobs: false, routes: [] };
});
const views = {
  tasks: new TasksView(),
  jobs: new JobsView(app.hasJobs),
  routes: new RoutesView(app.routes),
};

if (app.title !== '') {
  document.getElementById('app-title').textContent = app.title;
  document.title = \`\${app.title} console\`;
}
window.addEventListener('hashchange', show);
show();
follow();

/** Shows what the address says: \`#/jobs/42\` or \`#/jobs?state=failed\`, say. */
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
`,
  "notice.js": `const place = document.getElementById('notice');
let timer;

/** Says for a while, at the foot of the page, what has come of an action. */
export function notice(text, isBad = false) {
  place.textContent = text;
  place.classList.toggle('is-bad', isBad);
  place.hidePopover();
  place.showPopover(); // above a sheet that was opened since
  clearTimeout(timer);
  timer = setTimeout(() => place.hidePopover(), isBad ? 12_000 : 5000);
}
`,
  "queues.js": `import { ask, part } from './api.js';
import { element, setText, syncRows } from './element.js';
import { notice } from './notice.js';

const rows = new Map();

/** Shows each queue with what waits in it, and a button that pauses or resumes it. */
export function showQueues(queues, onDone) {
  const list = document.getElementById('queue-list');
  syncRows(
    list,
    rows,
    queues,
    ({ name }) => name,
    (queue) => createQueue(queue, onDone),
  );
}

function createQueue({ name }, onDone) {
  const paused = element('span', { class: 'paused' }, ['paused']);
  const counts = element('p', { class: 'soft' });
  const button = element('button', { type: 'button', class: 'small' });
  const node = element('li', { class: 'queue-card' }, [
    element('div', {}, [
      element('h3', {}, [
        element('a', { href: \`#/jobs?queue=\${part(name)}\` }, [name]),
        ' ',
        paused,
      ]),
      counts,
    ]),
    button,
  ]);
  let isPaused = false;
  button.addEventListener('click', async () => {
    button.disabled = true;
    try {
      await ask(\`queues/\${part(name)}/\${isPaused ? 'resume' : 'pause'}\`, 'POST');
      notice(
        isPaused ? \`Queue \${name} goes on.\` : \`Queue \${name} is paused: no job of it is started.\`,
      );
    } catch (error) {
      notice(error.message, true);
    } finally {
      button.disabled = false;
      button.focus(); // which it has lost while it was disabled
      onDone();
    }
  });
  return { node, update };

  function update(queue) {
    ({ isPaused } = queue);
    const { available, running, scheduled } = queue.counts;
    paused.hidden = !isPaused;
    setText(counts, \`\${available} available · \${running} running · \${scheduled} scheduled\`);
    setText(button, isPaused ? 'Resume' : 'Pause');
    button.setAttribute('aria-label', \`\${isPaused ? 'Resume' : 'Pause'} queue \${name}\`);
  }
}
`,
  "routes.js": `import { element, setText } from './element.js';
import { formatCount } from './format.js';

const list = document.getElementById('route-list');
const filter = document.getElementById('route-filter');

/** The route table of the app: it does not change while the app runs. */
export class RoutesView {
  #routes;

  constructor(routes) {
    this.#routes = routes.map((route) => {
      const { method, path, handler } = route;
      const isNamed = handler !== \`\${method} \${path}\`;
      const node = element('li', {}, [
        element('div', { class: 'route-columns' }, [
          element('span', { class: 'method' }, [method]),
          element('span', { class: 'path' }, [path]),
          element('span', { class: 'soft handler' }, [isNamed ? handler : '']),
        ]),
      ]);
      return { node, text: \`\${method} \${path} \${handler}\`.toLowerCase() };
    });
    list.append(...this.#routes.map(({ node }) => node));
    filter.addEventListener('input', () => this.#render());
  }

  show(isShown) {
    if (isShown) this.#render();
  }

  #render() {
    const text = filter.value.trim().toLowerCase();
    let count = 0;
    for (const route of this.#routes) {
      const fits = route.text.includes(text);
      route.node.hidden = !fits;
      if (fits) count++;
    }
    document.getElementById('route-empty').hidden = count > 0;
    setText(document.getElementById('route-count'), formatCount(count, 'route'));
  }
}
`,
  "style.css": `:root {
  color-scheme: light dark;

  --paper: #faf9f6;
  --card: #fff;
  --sunk: #f3f1ec;
  --ink: #1c1b19;
  --soft: #64615a;
  --line: #e5e1d8;
  --strong-line: #8d897f;

  --task: #3a5bd9;
  --failure: #c4351f;
  --failure-paper: #fbeeea;
  --good: #1f7a4a;
  --waits: #8d6a10;
  --button: #1c1b19;
  --on-button: #faf9f6;
  --veil: rgb(28 27 25 / 35%);

  --text: ui-sans-serif, system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif;
  --mono: ui-monospace, 'SFMono-Regular', Menlo, Consolas, 'DejaVu Sans Mono', monospace;
}

@media (prefers-color-scheme: dark) {
  :root {
    --paper: #131311;
    --card: #1b1b18;
    --sunk: #22221f;
    --ink: #eeebe4;
    --soft: #a5a197;
    --line: #302f2a;
    --strong-line: #79766c;

    --task: #8ba3ff;
    --failure: #ff7b66;
    --failure-paper: #2b1b17;
    --good: #6fcf97;
    --waits: #d9b44a;
    --button: #eeebe4;
    --on-button: #131311;
    --veil: rgb(0 0 0 / 55%);
  }
}

*,
*::before,
*::after {
  box-sizing: border-box;
}

[hidden] {
  display: none !important;
}

html {
  scrollbar-gutter: stable;
}

body {
  margin: 0;
  background: var(--paper);
  color: var(--ink);
  font: 400 0.95rem/1.5 var(--text);
  -webkit-text-size-adjust: 100%;
  text-size-adjust: 100%;
}

h1,
h2,
h3,
p,
ol,
ul,
dl,
dd,
pre {
  margin: 0;
  padding: 0;
}

ol,
ul {
  list-style: none;
}

a {
  color: inherit;
  text-decoration-color: var(--strong-line);
  text-underline-offset: 0.2em;
}

a:hover {
  color: var(--task);
  text-decoration-color: currentcolor;
}

:focus-visible {
  outline: 2px solid var(--task);
  outline-offset: 2px;
}

main:focus,
#sheet-title:focus {
  outline: none;
}

.soft {
  color: var(--soft);
  font-weight: 400;
}

.id,
.when,
.number {
  font: 400 0.8rem/1.5 var(--mono);
}

.skip {
  position: absolute;
  left: -100vw;
}

.skip:focus {
  left: 1rem;
  top: 0.5rem;
  padding: 0.3rem 0.6rem;
  background: var(--card);
}

/* The head of the page */

.top,
main {
  width: min(100% - 2 * clamp(1rem, 4vw, 3rem), 76rem);
  margin-inline: auto;
}

.top {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 0.2rem 2.2rem;
  padding-block: 1rem 0.6rem;
  border-bottom: 1px solid var(--line);
}

.brand {
  font-weight: 650;
  letter-spacing: -0.01em;
}

.top nav {
  display: flex;
  gap: 1.4rem;
}

.top nav a {
  padding-block: 0.45rem;
  color: var(--soft);
  font-weight: 500;
  text-decoration: none;
}

.top nav a:hover {
  color: var(--ink);
}

.top nav [aria-current] {
  color: var(--ink);
  box-shadow: inset 0 -2px var(--ink);
}

.connection {
  margin-left: auto;
  color: var(--soft);
  font-size: 0.86rem;
}

.connection::before {
  content: '';
  display: inline-block;
  width: 0.5rem;
  height: 0.5rem;
  margin-right: 0.45rem;
  border-radius: 50%;
  background: var(--strong-line);
}

.connection.is-live::before {
  background: var(--good);
}

main {
  padding-block: clamp(1.4rem, 3vw, 2.25rem) 5rem;
}

h1 {
  font-size: clamp(1.5rem, 1.3rem + 1vw, 2rem);
  font-weight: 680;
  line-height: 1.15;
  letter-spacing: -0.028em;
}

h2 {
  margin-top: 2.2rem;
  font-size: 1.08rem;
  font-weight: 650;
  letter-spacing: -0.012em;
}

.lead {
  max-width: 62ch;
  margin-top: 0.35rem;
  color: var(--soft);
  text-wrap: pretty;
}

/* What narrows a list down */

.tools {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  justify-content: space-between;
  gap: 0.7rem 1.5rem;
  margin-top: 1.1rem;
}

h2 + .tools {
  margin-top: 0.7rem;
}

.tabs {
  display: flex;
  flex-wrap: wrap;
  gap: 0.3rem;
  margin-left: -0.6rem;
}

.tabs > * {
  height: 2rem;
  padding: 0 0.6rem;
  border: 0;
  border-radius: 0.45rem;
  background: none;
  color: var(--soft);
  font: 500 0.88rem/2rem var(--text);
  text-decoration: none;
  white-space: nowrap;
  cursor: pointer;
}

.tabs > :hover {
  background: var(--sunk);
  color: var(--ink);
}

.tabs > [aria-current],
.tabs > [aria-pressed='true'] {
  background: var(--sunk);
  color: var(--ink);
}

.count {
  margin-left: 0.15rem;
  color: var(--soft);
  font: 400 0.78rem/1 var(--mono);
}

.filters {
  display: flex;
  flex-wrap: wrap;
  gap: 0.6rem 1.1rem;
}

.search {
  display: flex;
  align-items: center;
  gap: 0.55rem;
}

.label {
  color: var(--soft);
  font-size: 0.86rem;
}

input,
select {
  width: 13.5rem;
  min-width: 0;
  height: 2.1rem;
  padding: 0 0.6rem;
  border: 1px solid var(--strong-line);
  border-radius: 0.45rem;
  background: var(--card);
  color: var(--ink);
  font: 400 0.9rem/1 var(--text);
}

select {
  width: auto;
  max-width: 13.5rem;
}

input::placeholder {
  color: var(--soft);
  opacity: 1;
}

/* Buttons */

button {
  height: 2.25rem;
  padding: 0 1rem;
  border: 1px solid var(--strong-line);
  border-radius: 0.45rem;
  background: var(--card);
  color: var(--ink);
  font: 550 0.9rem/1 var(--text);
  white-space: nowrap;
  cursor: pointer;
}

button:hover {
  border-color: var(--ink);
}

button:disabled,
[aria-busy='true'] {
  opacity: 0.55;
  cursor: progress;
}

.small {
  height: 1.85rem;
  padding: 0 0.75rem;
  font-size: 0.84rem;
}

.primary {
  border-color: var(--button);
  background: var(--button);
  color: var(--on-button);
}

.primary:hover {
  border-color: var(--task);
  background: var(--task);
}

.is-asked {
  border-color: var(--failure);
  color: var(--failure);
}

.quiet {
  border-color: transparent;
  background: none;
}

.more {
  display: flex;
  gap: 0.6rem;
  margin-top: 1rem;
}

.more:not(:has(:not([hidden]))) {
  display: none;
}

/* Lists */

.head,
.rows {
  margin-inline: -0.75rem;
}

.head {
  margin-top: 0.9rem;
  color: var(--soft);
  font-size: 0.8rem;
}

.rows {
  border-top: 1px solid var(--line);
}

.rows > li {
  border-bottom: 1px solid var(--line);
}

.task-columns,
.job-columns,
.route-columns {
  display: grid;
  align-items: baseline;
  gap: 0.1rem 1rem;
  padding: 0.55rem 0.75rem;
}

.head.task-columns,
.head.job-columns,
.head.route-columns {
  padding-block: 0.35rem;
}

.task-columns {
  grid-template-columns: 7.5rem minmax(0, 1fr) 5.5rem 7.5rem 5rem 5rem;
}

.job-columns {
  grid-template-columns: 7.5rem minmax(0, 1fr) minmax(0, 8rem) 5rem 7.5rem 5.5rem;
}

.route-columns {
  grid-template-columns: 5rem minmax(0, 3fr) minmax(0, 2fr);
}

summary {
  list-style: none;
  cursor: pointer;
}

summary::-webkit-details-marker {
  display: none;
}

.rows summary:hover,
.rows > li:has(.job-columns):hover {
  background: var(--sunk);
}

.rows summary:focus-visible {
  outline-offset: -2px;
}

.rows .name {
  overflow-wrap: anywhere;
  font-weight: 550;
}

.job-name {
  display: grid;
}

.job-name .name {
  justify-self: start;
  text-decoration-color: var(--line);
}

.job-name .name:hover {
  text-decoration-color: currentcolor;
}

.due {
  color: var(--soft);
  font-size: 0.84rem;
}

.job-columns > :nth-child(5) {
  padding-left: 0.75rem;
}

.job-name .id {
  overflow: hidden;
  color: var(--soft);
  text-overflow: ellipsis;
  white-space: nowrap;
}

.request,
.when,
.waited,
.took,
.attempt {
  color: var(--soft);
  white-space: nowrap;
}

.queue,
.handler,
.path {
  overflow-wrap: anywhere;
}

.number {
  text-align: right;
  white-space: nowrap;
}

.head .number {
  font: inherit;
}

.row-actions {
  text-align: right;
}

.state {
  white-space: nowrap;
}

/* A shape for each kind of state, so that colour is not all that tells. */
.state::before {
  content: '';
  display: inline-block;
  width: 0.55rem;
  height: 0.55rem;
  margin-right: 0.5rem;
  border: 2px solid var(--strong-line);
  border-radius: 50%;
}

[data-state='started'] .state::before,
[data-state='running'] .state::before {
  border-color: var(--task);
  border-right-color: transparent;
  animation: turn 1.4s linear infinite;
}

[data-state='succeeded'] .state::before,
[data-state='completed'] .state::before {
  border-color: var(--good);
  background: var(--good);
}

[data-state='available'] .state::before,
[data-state='stored'] .state::before {
  border-color: var(--task);
}

[data-state='scheduled'] .state::before {
  border-color: var(--waits);
}

[data-state='failed'] .state,
[data-state='timedOut'] .state,
[data-state='abandoned'] .state {
  color: var(--failure);
}

[data-state='failed'] .state::before,
[data-state='timedOut'] .state::before,
[data-state='abandoned'] .state::before {
  border-color: var(--failure);
  border-radius: 1px;
  background: var(--failure);
}

[data-state='cancelled'] .state::before,
[data-state='discarded'] .state::before {
  height: 0;
  margin-bottom: 0.2rem;
  border-bottom-width: 0;
  border-radius: 1px;
}

@keyframes turn {
  to {
    rotate: 1turn;
  }
}

.error {
  grid-column: 2 / -1;
  display: -webkit-box;
  overflow: hidden;
  color: var(--failure);
  font: 400 0.8rem/1.5 var(--mono);
  overflow-wrap: anywhere;
  -webkit-box-orient: vertical;
  -webkit-line-clamp: 2;
  line-clamp: 2;
}

.detail {
  padding: 0.2rem 0.75rem 1rem;
}

.note {
  margin-top: 1rem;
  padding: 1.1rem 1.2rem;
  border: 1px dashed var(--strong-line);
  border-radius: 0.7rem;
  color: var(--soft);
}

.rows:empty + .note {
  margin-top: 0.75rem;
}

.rows:empty {
  border: 0;
}

.method {
  color: var(--soft);
  font: 500 0.8rem/1.6 var(--mono);
}

.path {
  font: 400 0.86rem/1.6 var(--mono);
}

.handler {
  font-size: 0.88rem;
}

/* Queues and schedules */

.queues {
  display: grid;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr));
  gap: 0.75rem;
  margin-top: 0.7rem;
}

.queue-card {
  display: flex;
  align-items: center;
  justify-content: space-between;
  gap: 0.75rem;
  padding: 0.75rem 1rem;
  border: 1px solid var(--line);
  border-radius: 0.7rem;
  background: var(--card);
}

.queue-card > div {
  min-width: 0;
}

.queue-card h3 {
  font-size: 0.96rem;
  font-weight: 600;
  overflow-wrap: anywhere;
}

.queue-card a {
  text-decoration: none;
}

.queue-card .soft {
  font-size: 0.84rem;
}

.paused {
  margin-left: 0.3rem;
  padding: 0.1rem 0.4rem;
  border: 1px solid var(--waits);
  border-radius: 0.3rem;
  color: var(--waits);
  font-size: 0.76rem;
  font-weight: 500;
}

.scroll {
  margin-top: 0.5rem;
  overflow-x: auto;
}

table {
  width: 100%;
  border-collapse: collapse;
}

th,
td {
  padding: 0.45rem 1.5rem 0.45rem 0;
  border-bottom: 1px solid var(--line);
  text-align: left;
  white-space: nowrap;
}

th {
  color: var(--soft);
  font-size: 0.8rem;
  font-weight: 400;
}

progress {
  width: 100%;
  max-width: 16rem;
  height: 0.4rem;
  margin-block: 0.25rem;
  border: 0;
  border-radius: 0.2rem;
  background: var(--line);
  accent-color: var(--task);
  appearance: none;
}

progress::-webkit-progress-bar {
  border-radius: 0.2rem;
  background: var(--line);
}

progress::-webkit-progress-value {
  border-radius: 0.2rem;
  background: var(--task);
}

progress::-moz-progress-bar {
  border-radius: 0.2rem;
  background: var(--task);
}

/* Facts, stacks and JSON */

dl {
  display: grid;
  grid-template-columns: max-content minmax(0, 1fr);
  gap: 0.2rem 1.4rem;
}

dt {
  color: var(--soft);
  font-size: 0.88rem;
}

dd {
  overflow-wrap: anywhere;
}

pre {
  max-height: 26rem;
  margin-top: 0.6rem;
  padding: 0.75rem 0.9rem;
  overflow: auto;
  border-radius: 0.5rem;
  background: var(--sunk);
  font: 400 0.8rem/1.55 var(--mono);
  overflow-wrap: anywhere;
  white-space: pre-wrap;
}

.detail pre,
.job-error pre {
  background: var(--failure-paper);
}

/* One job */

dialog {
  width: min(100%, 44rem);
  max-width: none;
  height: 100dvh;
  max-height: none;
  margin: 0 0 0 auto;
  padding: 1.25rem clamp(1rem, 4vw, 1.75rem) 3rem;
  overflow-y: auto;
  border: 0;
  border-left: 1px solid var(--line);
  background: var(--paper);
  color: var(--ink);
  overscroll-behavior: contain;
}

dialog::backdrop {
  background: var(--veil);
}

.sheet-top {
  display: flex;
  align-items: flex-start;
  justify-content: space-between;
  gap: 1rem;
}

.sheet-top > div {
  min-width: 0;
}

.sheet-top h2 {
  margin: 0;
  font-size: 1.3rem;
  overflow-wrap: anywhere;
}

.sheet-top .id {
  color: var(--soft);
  overflow-wrap: anywhere;
}

.sheet-top button {
  margin: -0.3rem -0.8rem 0 0;
  padding: 0 0.8rem;
}

.actions {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 0.6rem;
  min-height: 2rem;
  margin-block: 0.9rem 1.1rem;
}

.state-of-job {
  margin-right: 0.6rem;
  font-weight: 550;
}

.alert {
  margin-bottom: 1rem;
  padding: 0.6rem 0.8rem;
  border-left: 3px solid var(--failure);
  background: var(--failure-paper);
}

.alert:empty {
  display: none;
}

.progress {
  display: flex;
  align-items: center;
  gap: 0.8rem;
  margin-bottom: 0.9rem;
  color: var(--soft);
  font: 400 0.8rem/1 var(--mono);
}

dialog h3 {
  margin-top: 1.5rem;
  font-size: 0.96rem;
  font-weight: 620;
}

.job-error {
  margin-top: 1.2rem;
}

.job-error + .job-error {
  margin-top: 0.7rem;
}

.job-error summary {
  display: grid;
}

.job-error summary .soft {
  font-size: 0.86rem;
}

.job-error summary .soft::after {
  content: ' – show the stack';
}

.job-error[open] summary .soft::after {
  content: ' – hide the stack';
}

.error-message {
  color: var(--failure);
  overflow-wrap: anywhere;
}

.notice {
  position: fixed;
  inset: auto 1rem 1rem;
  width: fit-content;
  max-width: min(100% - 2rem, 40rem);
  margin-inline: auto;
  padding: 0.65rem 1rem;
  border: 0;
  border-radius: 0.5rem;
  background: var(--button);
  color: var(--on-button);
  overflow-wrap: anywhere;
}

.notice.is-bad {
  background: var(--failure);
}

/* Narrow: the row becomes two lines, and what the head named says so itself. */
@media (max-width: 48rem) {
  .top nav {
    order: 1;
    width: 100%;
  }

  .head {
    display: none;
  }

  .rows {
    margin-top: 0.9rem;
  }

  .search,
  .filters {
    width: 100%;
  }

  .search input,
  .search select {
    flex: 1;
    width: auto;
    max-width: none;
  }

  .label {
    min-width: 3.2rem;
  }

  .task-columns,
  .job-columns {
    grid-template-columns: minmax(0, 1fr) auto;
  }

  .task-columns > .name,
  .job-columns > .job-name {
    grid-area: 1 / 1;
  }

  .task-columns > .state,
  .job-columns > .state {
    grid-area: 1 / 2;
    justify-self: end;
  }

  .task-columns > .when {
    grid-area: 2 / 1;
  }

  .task-columns > .took {
    grid-area: 2 / 2;
  }

  .task-columns > .request,
  .task-columns > .waited,
  .job-columns > .when {
    display: none;
  }

  .job-columns > .queue {
    grid-area: 2 / 1;
    color: var(--soft);
    font-size: 0.86rem;
  }

  .job-columns > .attempt {
    grid-area: 2 / 2;
  }

  .job-columns > .attempt::before {
    content: 'attempt ';
  }

  .job-columns > .row-actions {
    grid-area: 4 / 1 / auto / -1;
    text-align: left;
  }

  .row-actions:not(:empty) {
    padding-top: 0.35rem;
  }

  .error {
    grid-column: 1 / -1;
  }

  .route-columns {
    grid-template-columns: 4.2rem minmax(0, 1fr);
  }

  .route-columns > .handler {
    grid-column: 2;
  }

  .route-columns > .handler:empty {
    display: none;
  }

  .number {
    text-align: right;
  }
}

@media (prefers-reduced-motion: reduce) {
  *,
  *::before {
    animation: none !important;
    transition: none !important;
  }
}

@media (prefers-contrast: more) {
  :root {
    --soft: var(--ink);
    --line: var(--strong-line);
  }
}

@media (forced-colors: active) {
  .state::before,
  .connection::before {
    forced-color-adjust: none;
  }
}
`,
  "tasks.js": `import { ask, part } from './api.js';
import { element, setText, syncRows } from './element.js';
import { formatMs, formatTime, stateName } from './format.js';

const MOST_TASKS = 500;
const PAGE_SIZE = 100;

const KINDS = {
  all: { label: 'All', has: () => true },
  waiting: { label: 'Waiting', has: ({ state }) => state === 'queued' },
  running: { label: 'Running', has: ({ state }) => state === 'started' },
  failed: {
    label: 'Failed',
    has: ({ state }) => ['failed', 'timedOut', 'abandoned'].includes(state),
  },
};

const list = document.getElementById('task-list');
const empty = document.getElementById('task-empty');
const more = document.getElementById('task-more');
const filter = document.getElementById('task-filter');

/** The background tasks of the process, live. */
export class TasksView {
  /** By their ids, the oldest first. */
  #tasks = new Map();
  #rows = new Map();
  #kind = 'all';
  #most = PAGE_SIZE;
  #isFrameAsked = false;
  #buttons = Object.entries(KINDS).map(([kind, { label }]) => this.#createTab(kind, label));

  constructor() {
    document.getElementById('task-kinds').append(...this.#buttons.map(({ button }) => button));
    filter.addEventListener('input', () => this.#render());
    more.addEventListener('click', () => {
      this.#most += PAGE_SIZE;
      this.#render();
    });
    // A task that runs takes longer and longer.
    setInterval(
      () =>
        document.hidden ||
        list.querySelector('[data-state="started"]') === null ||
        this.#renderSoon(),
      500,
    );
  }

  show(isShown) {
    if (isShown) this.#render();
  }

  take(tasks) {
    for (const task of tasks) this.#tasks.set(task.id, task);
    for (const id of this.#tasks.keys()) {
      if (this.#tasks.size <= MOST_TASKS) break;
      this.#tasks.delete(id);
    }
    this.#renderSoon();
  }

  #renderSoon() {
    if (this.#isFrameAsked) return;
    this.#isFrameAsked = true;
    requestAnimationFrame(() => this.#render());
  }

  #render() {
    this.#isFrameAsked = false;
    const all = [...this.#tasks.values()].reverse();
    for (const { kind, button, count } of this.#buttons) {
      button.setAttribute('aria-pressed', String(kind === this.#kind));
      setText(count, String(all.filter(KINDS[kind].has).length));
    }
    const text = filter.value.trim().toLowerCase();
    const fitting = all
      .filter(KINDS[this.#kind].has)
      .filter(({ name, requestId }) => \`\${name} \${requestId}\`.toLowerCase().includes(text));
    syncRows(list, this.#rows, fitting.slice(0, this.#most), ({ id }) => id, createRow);
    more.hidden = fitting.length <= this.#most;
    empty.hidden = fitting.length > 0;
    setText(
      empty,
      all.length === 0
        ? 'No task so far. They appear here as requests add them.'
        : 'No task fits the filter.',
    );
  }

  #createTab(kind, label) {
    const count = element('span', { class: 'count' });
    const button = element('button', { type: 'button' }, [\`\${label} \`, count]);
    button.addEventListener('click', () => {
      this.#kind = kind;
      this.#most = PAGE_SIZE;
      this.#render();
    });
    return { kind, button, count };
  }
}

function createRow({ id }) {
  const [state, name, request, queued, waited, took, error] = [
    element('span', { class: 'state' }),
    element('span', { class: 'name' }),
    element('span', { class: 'request id' }),
    element('time', { class: 'when' }),
    element('span', { class: 'number waited' }),
    element('span', { class: 'number took' }),
    element('span', { class: 'error' }),
  ];
  const detail = element('div', { class: 'detail' });
  const node = element('li', {}, [
    element('details', {}, [
      element('summary', { class: 'task-columns' }, [
        state,
        name,
        request,
        queued,
        waited,
        took,
        error,
      ]),
      detail,
    ]),
  ]);
  const details = node.firstChild;
  let shown;
  let task;
  details.addEventListener('toggle', showDetail);
  return { node, update };

  function update(now) {
    task = now;
    node.dataset.state = task.state;
    setText(state, stateName(task.state));
    setText(name, task.name);
    setText(request, task.requestId.slice(0, 8));
    setTime(queued, task.queuedAtMs);
    setText(waited, task.waitedMs === undefined ? '' : formatMs(task.waitedMs));
    setText(took, task.elapsedMs === undefined ? running(task) : formatMs(task.elapsedMs));
    setText(error, task.error ?? '');
    error.hidden = !task.error;
    if (details.open && shown !== task.state) void showDetail();
  }

  async function showDetail() {
    if (!details.open) return;
    shown = task.state;
    detail.replaceChildren(createFacts(task));
    if (!task.error) return;
    const text = element('pre', { tabindex: '0', 'aria-label': 'Error' }, [task.error]);
    detail.append(text);
    try {
      setText(text, (await ask(\`tasks/\${part(id)}\`)).error.text);
    } catch {
      // It is no longer remembered there: the message is here.
    }
  }
}

function running({ state, startedAtMs }) {
  return state === 'started' ? formatMs(Math.max(0, Date.now() - startedAtMs)) : '';
}

function setTime(node, timeMs) {
  setText(node, timeMs === undefined ? '' : formatTime(new Date(timeMs)));
  if (timeMs !== undefined) node.dateTime = new Date(timeMs).toISOString();
}

function createFacts(task) {
  const facts = {
    'Task id': task.id,
    'Request id': task.requestId,
    Queued: iso(task.queuedAtMs),
    Started: iso(task.startedAtMs),
    Ended: iso(task.endedAtMs),
    'Not run because of': task.reason,
  };
  const entries = Object.entries(facts).filter(([, value]) => value !== undefined);
  const pairs = entries.flatMap(([label, value]) => [
    element('dt', {}, [label]),
    element('dd', { class: 'id' }, [value]),
  ]);
  if (task.state === 'stored') {
    pairs.push(
      element('dt', {}, ['Job']),
      element('dd', {}, [element('a', { href: \`#/jobs/\${part(task.id)}\` }, ['what became of it'])]),
    );
  }
  return element('dl', {}, pairs);
}

function iso(timeMs) {
  return timeMs === undefined ? undefined : new Date(timeMs).toISOString();
}
`,
};
