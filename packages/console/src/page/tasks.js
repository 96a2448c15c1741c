import { ask, part } from './api.js';
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
      .filter(({ name, requestId }) => `${name} ${requestId}`.toLowerCase().includes(text));
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
    const button = element('button', { type: 'button' }, [`${label} `, count]);
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
      setText(text, (await ask(`tasks/${part(id)}`)).error.text);
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
      element('dd', {}, [element('a', { href: `#/jobs/${part(task.id)}` }, ['what became of it'])]),
    );
  }
  return element('dl', {}, pairs);
}

function iso(timeMs) {
  return timeMs === undefined ? undefined : new Date(timeMs).toISOString();
}
