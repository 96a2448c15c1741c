import { ask, part } from './api.js';
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
      const job = await ask(`jobs/${part(id)}`);
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
  const percent = `${Math.round(progress * 100)} %`;
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
    ['Attempt', `${job.attempt} of ${job.attempts}`],
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
    element('span', { class: 'soft' }, [`Attempt ${attempt}, ${formatTime(new Date(time))}`]),
    element('span', { class: 'error-message' }, [`${name}: ${message}`]),
  ]);
  const text = element('pre', { tabindex: '0', 'aria-label': 'Stack' }, [
    stack ?? 'It had no stack.',
  ]);
  const details = element('details', { class: 'job-error', id: `error-${attempt}-${time}` }, [
    summary,
    text,
  ]);
  details.open = isLatest;
  return details;
}

function createJson(label, value) {
  const id = `json-${label.toLowerCase()}`;
  const text = JSON.stringify(value, null, 2) ?? 'null';
  return [
    element('h3', { id }, [label]),
    element('pre', { tabindex: '0', 'aria-labelledby': id }, [text]),
  ];
}
