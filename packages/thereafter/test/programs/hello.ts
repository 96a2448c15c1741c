import { createApp, query } from 'thereafter';
import { Type } from 'typebox';

const app = createApp({ title: 'Hello' });

app.get('/', () => ({ hello: 'world' }));

app.get(
  '/greet',
  {
    in: {
      q: query(
        Type.Object({
          name: Type.String({ minLength: 1 }),
          times: Type.Integer({ default: 1, maximum: 5 }),
        }),
      ),
    },
    response: Type.Object({ text: Type.String() }),
  },
  ({ q }) => ({ text: `Hi ${q.name}! `.repeat(q.times).trim() }),
);

await app.listen({ port: 3000 }); // docs at /docs, spec at /openapi.json
