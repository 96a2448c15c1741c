/** An input of a route, and what the start page puts into it at first. */
export interface StoryField {
  readonly name: string;
  /** `body` is the whole of it, as JSON; `file` a part of a form. */
  readonly in: 'path' | 'query' | 'body' | 'file';
  readonly type: 'text' | 'number' | 'email' | 'json' | 'file';
  readonly value?: string;
  readonly hint?: string;
}

/** What the start page tells of a route, and what it needs to try it. */
export interface Story {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly title: string;
  /** What happens after the response. */
  readonly after: string;
  readonly fields: readonly StoryField[];
  /** Where the result can be seen; `{name}` stands for the value of a field, or of a member of the answer. */
  readonly see?: string;
}

const BAD = 'Send “bad” to see it fail.';

/** The routes that the start page lists, in the order of the guide. */
export const STORIES: readonly Story[] = [
  {
    method: 'POST',
    path: '/send-notification/:email',
    title: 'Answer, then notify',
    after: 'One task appends a line to the log file.',
    fields: [{ name: 'email', in: 'path', type: 'email', value: 'ada@example.com' }],
  },
  {
    method: 'POST',
    path: '/users/',
    title: 'Three tasks, in order',
    after: 'Log, mail, statistics: one at a time, in the order in which they were added.',
    fields: [
      { name: 'email', in: 'query', type: 'email', value: 'grace@example.com' },
      { name: 'user_id', in: 'query', type: 'number', value: '7' },
    ],
  },
  {
    method: 'GET',
    path: '/process-user/:user_id',
    title: 'Wait for another service',
    after: 'An asynchronous task asks an upstream, then waits a second. Nobody waits for it.',
    fields: [{ name: 'user_id', in: 'path', type: 'number', value: '2' }],
  },
  {
    method: 'GET',
    path: '/items/',
    title: 'A dependency adds the task',
    after: 'Whoever asks for the current user leaves a line in the access log.',
    fields: [],
  },
  {
    method: 'POST',
    path: '/process/',
    title: 'A task that may fail',
    after:
      'The client has its answer. Success is logged; a failure is too, counted, and raises an alert.',
    fields: [{ name: 'data', in: 'query', type: 'text', value: 'bad', hint: BAD }],
    see: '/alerts',
  },
  {
    method: 'POST',
    path: '/register/',
    title: 'Send a mail',
    after: 'A welcome mail goes out over SMTP.',
    fields: [{ name: 'email', in: 'query', type: 'email', value: 'radia@example.com' }],
    see: '/outbox',
  },
  {
    method: 'POST',
    path: '/upload/',
    title: 'Compress an image',
    after: 'A worker thread makes a smaller WebP, then the temporary file is removed.',
    fields: [
      { name: 'file', in: 'file', type: 'file', hint: 'Without a file, a drawing is sent.' },
    ],
  },
  {
    method: 'POST',
    path: '/login/',
    title: 'Warm the cache',
    after: 'What the user will ask for next is kept for an hour.',
    fields: [{ name: 'user_id', in: 'query', type: 'number', value: '7' }],
    see: '/cache/user:{user_id}',
  },
  {
    method: 'POST',
    path: '/heavy-task/',
    title: 'A job that survives',
    after:
      'It is stored before the answer. Kill the tour while it runs: the next start takes it up.',
    fields: [{ name: 'data', in: 'body', type: 'json', value: '{"pages": 100}' }],
    see: '/task-status/{task_id}',
  },
  {
    method: 'GET',
    path: '/task-status/:task_id',
    title: 'How far is a job?',
    after: 'Nothing: it only looks. The id is in the answer above.',
    fields: [{ name: 'task_id', in: 'path', type: 'text' }],
  },
  {
    method: 'GET',
    path: '/monitored/:name',
    title: 'A task under watch',
    after: 'Start, end, duration and failure are logged and counted.',
    fields: [{ name: 'name', in: 'path', type: 'text', value: 'report', hint: BAD }],
    see: '/metrics',
  },
];
