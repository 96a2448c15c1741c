import { createServer } from 'node:http';

createServer((req, res) => {
  if (req.method === 'GET' && req.url === '/hello') {
    const text = JSON.stringify({ message: 'hello' });
    res.writeHead(200, [
      'content-type',
      'application/json',
      'content-length',
      String(Buffer.byteLength(text)),
    ]);
    res.end(text);
  } else {
    res.writeHead(404).end();
  }
}).listen(Number(process.env['PORT']));
