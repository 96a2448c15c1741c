import { ask, part } from './api.js';
import { element } from './element.js';

const ACTIONS = {
  retry: {
    label: 'Retry',
    // It has done its work: to do that twice is another matter than to try once more.
    labelOfCompleted: 'Run again',
    done: (job) => `${job.task} is ${job.state} again.`,
  },
  cancel: {
    label: 'Cancel',
    done: (job) =>
      job.state === 'running' ? `${job.task} was asked to stop.` : `${job.task} is cancelled.`,
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

/** A button for each action. @param report - Told what came of it: `done`, `failed` and then `changed`. */
export function createActions(job, names, report) {
  return names.map((name) => createAction(job, name, report));
}

function createAction({ id, task, state }, name, report) {
  const { labelOfCompleted, confirm, done, label: usual } = ACTIONS[name];
  const label = (state === 'completed' && labelOfCompleted) || usual;
  const button = element('button', { type: 'button', class: 'small' }, [label]);
  button.classList.toggle('primary', name === 'retry' && state === 'failed');
  button.setAttribute('aria-label', `${label} ${task} ${id}`);
  let isAsked = confirm === undefined;
  button.addEventListener('blur', () => {
    isAsked = confirm === undefined;
    button.textContent = label;
    button.classList.remove('is-asked');
  });
  button.addEventListener('click', async () => {
    if (!isAsked) {
      isAsked = true;
      button.textContent = `${confirm}?`;
      button.classList.add('is-asked');
      button.focus(); // not every browser does so by itself, and without there is no blur
      return;
    }
    button.setAttribute('aria-busy', 'true');
    try {
      const job = await ask(`jobs/${part(id)}/${name}`, 'POST');
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
