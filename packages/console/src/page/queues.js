import { ask, part } from './api.js';
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
        element('a', { href: `#/jobs?queue=${part(name)}` }, [name]),
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
      await ask(`queues/${part(name)}/${isPaused ? 'resume' : 'pause'}`, 'POST');
      notice(
        isPaused ? `Queue ${name} goes on.` : `Queue ${name} is paused: no job of it is started.`,
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
    setText(counts, `${available} available · ${running} running · ${scheduled} scheduled`);
    setText(button, isPaused ? 'Resume' : 'Pause');
    button.setAttribute('aria-label', `${isPaused ? 'Resume' : 'Pause'} queue ${name}`);
  }
}
