import express from 'express';

const app = express();
app.get('/hello', (_req, res) => {
  res.json({ message: 'hello' });
});
app.listen(Number(process.env['PORT']));
