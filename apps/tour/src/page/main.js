import { Chart } from './chart.js';
import { element } from './element.js';
import { isUnfinished, Requests } from './requests.js';
import { createStory } from './story.js';

const MOST_REQUESTS = 30;

const list = document.getElementById('requests');
const empty = document.getElementById('empty');
const connection = document.getElementById('connection');

const requests = new Requests();
/** The charts of a request, by its id: one in the list, and one below the form that sent it. */
const charts = new Map();
/** Requests whose charts are not up to date. */
const outdated = new Set();
let clockOffsetMs = 0;
let isFrameAsked = false;

follow();
await showStories();

async function showStories() {
  const stories = await (await fetch('./stories')).json();
  const shown = stories.map((story, i) => createStory(story, i + 1, showBelow));
  document.getElementById('stories').append(...shown);
}

/** Shows a request below the form that sent it, as soon as its response is known here too. */
function showBelow(id, place) {
  place.dataset.awaits = id;
  place.replaceChildren();
  refresh(requests.of(id));
}

function follow() {
  const events = new EventSource('./activity');
  events.addEventListener('open', () => showConnection('live', true));
  // The browser connects again by itself.
  events.addEventListener('error', () => showConnection('connecting again', false));
  events.addEventListener('clock', ({ data }) => {
    clockOffsetMs = JSON.parse(data).nowMs - Date.now();
  });
  for (const kind of ['response', 'task']) {
    events.addEventListener(kind, ({ data }) => refresh(requests.take(kind, JSON.parse(data))));
  }
}

function showConnection(text, isLive) {
  connection.textContent = text;
  connection.classList.toggle('is-live', isLive);
}

/** Brings its charts up to date at the next frame, and at each one as long as its tasks run. */
function refresh(request) {
  outdated.add(request);
  if (isFrameAsked) return;
  isFrameAsked = true;
  requestAnimationFrame(() => {
    isFrameAsked = false;
    const nowMs = Date.now() + clockOffsetMs;
    const all = [...outdated];
    outdated.clear();
    for (const known of all) {
      // The event of its response is still to come, or it has left the list.
      if (!known.response || !requests.has(known)) continue;
      for (const chart of chartsOf(known)) chart.update(nowMs);
      if (isUnfinished(known)) refresh(known);
    }
  });
}

function chartsOf(request) {
  const shown = charts.get(request.id) ?? [showInList(request)];
  charts.set(request.id, shown);
  const place = document.querySelector(`[data-awaits="${request.id}"]`);
  if (place) {
    delete place.dataset.awaits;
    const chart = new Chart(request);
    place.append(chart.element);
    shown.push(chart);
  }
  return shown;
}

function showInList(request) {
  const chart = new Chart(request);
  empty.hidden = true;
  list.prepend(element('li', {}, [chart.element]));
  if (list.childElementCount > MOST_REQUESTS) {
    const [oldest] = charts.keys();
    charts.delete(oldest);
    requests.drop(oldest);
    list.lastElementChild.remove();
  }
  return chart;
}
