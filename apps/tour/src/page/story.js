import { drawing } from './drawing.js';
import { element } from './element.js';
import { formatMs } from './scale.js';

/**
 * Shows a route with a form to try it.
 *
 * @param answered - Called with the id of a request that the form has sent and the place for its chart.
 */
export function createStory(story, number, answered) {
  const form = element('form', { novalidate: '' }); // what is wrong with an input, the app shall say
  const inputs = story.fields.map((field) => [field, createInput(field, number)]);
  const button = element('button', { type: 'submit' }, ['Send']);
  const hints = inputs.flatMap(([field, input]) => createHint(field, input));
  form.append(...inputs.map(([field, input]) => createField(field, input)), button, ...hints);

  const head = element('p', { class: 'answer-head' });
  const body = element('pre', { class: 'answer-body' });
  const answer = element('div', { class: 'answer', role: 'status' }, [head, body]);
  const chart = element('div', { class: 'story-chart' });
  const see = element('p', { class: 'see' });
  const id = `story-${number}`;
  answer.hidden = true;

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      const { requestId, ...shown } = await send(story, inputs);
      showAnswer(shown);
      if (shown.isGood) linkResult(JSON.parse(shown.body));
      if (requestId) answered(requestId, chart);
    } catch (error) {
      showAnswer({ isGood: false, head: 'no answer', body: String(error) });
    } finally {
      button.disabled = false;
      button.focus({ preventScroll: true }); // which it has lost while it was disabled
    }
  });
  form.addEventListener('input', () => linkResult());
  linkResult();

  return element('li', { class: 'story', 'aria-labelledby': id }, [
    element('h3', { id }, [story.title]),
    element('p', { class: 'route' }, [
      element('span', { class: 'method' }, [story.method]),
      ' ',
      element('span', { class: 'path' }, [story.path]),
    ]),
    element('p', { class: 'after' }, [story.after]),
    form,
    answer,
    chart,
    ...(story.see ? [see] : []),
  ]);

  function showAnswer({ isGood, head: headText, body: bodyText }) {
    answer.hidden = false;
    answer.classList.toggle('is-error', !isGood);
    head.textContent = headText;
    body.textContent = bodyText;
  }

  /** @param answered - The members of the answer, once there is one. */
  function linkResult(answered = {}) {
    if (!story.see) return;
    const valueOf = (name) =>
      inputs.find(([field]) => field.name === name)?.[1].value ?? answered[name];
    const names = [...story.see.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    see.hidden = names.some((name) => valueOf(name) === undefined);
    if (see.hidden) return;
    const path = story.see.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(valueOf(name)));
    const href = `.${path}`;
    see.replaceChildren(
      'Then see ',
      element('a', { href, target: '_blank', rel: 'noopener' }, [path]),
    );
  }
}

function createInput({ name, type, value = '' }, number) {
  const attributes = {
    id: `story-${number}-${name}`,
    name,
    autocomplete: 'off',
    spellcheck: 'false',
  };
  if (type === 'json') return element('textarea', { ...attributes, rows: '3' }, [value]);
  if (type === 'file') return element('input', { ...attributes, type, accept: 'image/*' });
  // A field for numbers would not let a wrong one through.
  const kind = type === 'number' ? { type: 'text', inputmode: 'numeric' } : { type };
  return element('input', { ...attributes, ...kind, value });
}

function createField({ name }, input) {
  return element('div', { class: 'field' }, [element('label', { for: input.id }, [name]), input]);
}

function createHint({ hint }, input) {
  if (hint === undefined) return [];
  const id = `${input.id}-hint`;
  input.setAttribute('aria-describedby', id);
  return [element('p', { class: 'hint', id }, [hint])];
}

async function send(story, inputs) {
  const { url, ...init } = await toRequest(story, inputs);
  const startedAtMs = performance.now();
  const response = await fetch(url, { method: story.method, ...init });
  const elapsedMs = performance.now() - startedAtMs;
  const text = await response.text();
  const isProblem = response.headers.get('content-type') === 'application/problem+json';
  return {
    isGood: response.ok,
    head: `${response.status} in ${formatMs(elapsedMs)}`,
    body: isProblem ? JSON.stringify(JSON.parse(text), null, 2) : text,
    requestId: response.ok && response.headers.get('x-request-id'),
  };
}

async function toRequest(story, inputs) {
  let path = story.path;
  let init = {};
  const query = new URLSearchParams();
  for (const [{ name, in: place }, input] of inputs) {
    if (place === 'path') path = path.replace(`:${name}`, encodeURIComponent(input.value));
    else if (place === 'query') query.set(name, input.value);
    else if (place === 'body') {
      init = { body: input.value, headers: { 'content-type': 'application/json' } };
    } else {
      const body = new FormData();
      body.set(name, input.files[0] ?? (await drawing()));
      init = { body };
    }
  }
  return { url: `.${path}${query.size > 0 ? `?${query}` : ''}`, ...init };
}
