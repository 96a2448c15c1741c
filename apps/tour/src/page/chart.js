import { element } from './element.js';
import { endOf } from './requests.js';
import { formatMs, formatTick, ticks } from './scale.js';

const MOST_TICKS = 4;

/** Shows a request: a bar for its response and one for each task, on one axis that begins with it. */
export class Chart {
  #lanes = new Map();
  #request;
  #list = element('ol', { class: 'lanes', role: 'list' });
  #ticks = element('div', { class: 'ticks' });

  constructor(request) {
    this.#request = request;
    const { method, path, status, startedAtMs } = request.response;
    const time = new Date(startedAtMs);
    this.element = element('article', { class: 'request', 'data-request-id': request.id }, [
      element('h3', {}, [
        element('span', { class: 'method' }, [method]),
        ' ',
        element('span', { class: 'path' }, [path]),
      ]),
      element('p', { class: 'facts' }, [
        element('span', { class: status < 400 ? 'status' : 'status is-error' }, [
          status === undefined ? 'client left' : String(status),
        ]),
        ' ',
        element('time', { datetime: time.toISOString() }, [time.toLocaleTimeString()]),
      ]),
      this.#list,
      element('div', { class: 'axis', 'aria-hidden': 'true' }, [this.#ticks]),
    ]);
  }

  /** Brings it to what is known now. */
  update(nowMs) {
    const { response, tasks } = this.#request;
    const fromMs = response.startedAtMs;
    const lengthMs = Math.max(endOf(this.#request, nowMs) - fromMs, 0.1);
    const place = (ms) =>
      `${(Math.min(Math.max((ms - fromMs) / lengthMs, 0), 1) * 100).toFixed(3)}%`;
    this.#list.style.setProperty('--answered', place(response.endedAtMs));
    this.#lane('response', { name: 'response', kind: 'response' }).show({
      from: place(fromMs),
      to: place(response.endedAtMs),
      text: formatMs(response.endedAtMs - fromMs),
    });
    for (const [id, task] of tasks) this.#lane(id, task).show(toBar(task, place, nowMs));
    this.#ticks.replaceChildren(
      ...ticks(lengthMs, MOST_TICKS).map((ms) => {
        const tick = element('span', {}, [formatTick(ms)]);
        tick.style.setProperty('--at', place(fromMs + ms));
        return tick;
      }),
    );
  }

  #lane(id, { name, kind = 'task' }) {
    const known = this.#lanes.get(id);
    if (known) return known;
    const lane = new Lane(name, kind);
    this.#lanes.set(id, lane);
    this.#list.append(lane.element);
    return lane;
  }
}

/** What a lane shows of a task. */
function toBar({ state, queuedAtMs, startedAtMs, endedAtMs, error }, place, nowMs) {
  const endMs = endedAtMs ?? nowMs;
  return {
    state,
    waits: place(queuedAtMs ?? startedAtMs ?? endMs),
    from: place(startedAtMs ?? endMs),
    to: place(endMs),
    text: toText(state, startedAtMs === undefined ? undefined : endMs - startedAtMs),
    error,
  };
}

const WORDS = {
  queued: 'waiting',
  started: 'running',
  failed: 'failed',
  timedOut: 'timed out',
  discarded: 'discarded',
  abandoned: 'abandoned',
};

function toText(state, ranMs) {
  const ran = ranMs === undefined ? '' : formatMs(ranMs);
  return [WORDS[state], ran].filter(Boolean).join(' ');
}

/** A name, a bar on the axis, and its length in words. */
class Lane {
  #bar = element('span', { class: 'bar' });
  #wait = element('span', { class: 'wait' });
  #text = element('span', { class: 'length' });
  #error = element('p', { class: 'error', hidden: '' });

  constructor(name, kind) {
    this.element = element('li', { class: 'lane', 'data-kind': kind }, [
      element('span', { class: 'name', title: name }, [name]),
      element('span', { class: 'track', 'aria-hidden': 'true' }, [this.#wait, this.#bar]),
      this.#text,
      this.#error,
    ]);
  }

  show({ from, to, text, state = 'succeeded', waits = from, error }) {
    this.element.dataset.state = state;
    place(this.#bar, from, to);
    place(this.#wait, waits, from);
    if (this.#text.textContent !== text) this.#text.textContent = text;
    this.#error.hidden = error === undefined;
    this.#error.textContent = error ?? '';
  }
}

function place({ style }, from, to) {
  style.setProperty('--from', from);
  style.setProperty('--to', to);
}
