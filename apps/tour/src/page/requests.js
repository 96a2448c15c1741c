/**
 * What is known of the requests, from the events of `/activity`. Each event says all of its state, so
 * one that comes again changes nothing.
 */
export class Requests {
  #byId = new Map();

  /**
   * @param {'response' | 'task'} kind
   * @returns The request that the event belongs to: `{ id, response, tasks }`.
   */
  take(kind, event) {
    const request = this.of(event.requestId);
    if (kind === 'response') request.response = event;
    else takeTask(request.tasks, event);
    return request;
  }

  /** Whether a request is still remembered. */
  has(request) {
    return this.#byId.get(request.id) === request;
  }

  /** Forgets one that is no longer shown. */
  drop(id) {
    this.#byId.delete(id);
  }

  /** The request of an id; an empty one when nothing is known of it yet. */
  of(id) {
    const known = this.#byId.get(id);
    if (known) return known;
    const request = { id, response: undefined, tasks: new Map() };
    this.#byId.set(id, request);
    return request;
  }
}

function takeTask(tasks, { taskId, name, state, atMs, error }) {
  const task = tasks.get(taskId) ?? { name };
  tasks.set(taskId, task);
  task.state = state;
  if (state === 'queued') task.queuedAtMs = atMs;
  else if (state === 'started') task.startedAtMs = atMs;
  else Object.assign(task, { endedAtMs: atMs, error });
}

/** Whether something of it is still to come. */
export function isUnfinished({ tasks }) {
  return [...tasks.values()].some(({ state }) => state === 'queued' || state === 'started');
}

/** When the last that is known of it ended, or now. */
export function endOf({ response, tasks }, nowMs) {
  const ends = [...tasks.values()].map((task) => task.endedAtMs ?? nowMs);
  return Math.max(response.endedAtMs, ...ends);
}
