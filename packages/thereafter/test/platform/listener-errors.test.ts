import { execFile } from 'node:child_process';
import { describe, expect, it } from 'vitest';

/** Runs a server whose `finish` listener does something bad, and asks it once. */
function exitCodeAfter(listener: string): Promise<{ exitCode: number | null; stderr: string }> {
  const program = `
    const http = require('node:http');
    http.createServer((_, res) => { res.on('finish', ${listener}); res.end('ok'); })
      .listen(0, '127.0.0.1', function () { http.get({ port: this.address().port, host: '127.0.0.1' }); });
  `;
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ['--eval', program], (_, __, stderr) =>
      resolve({ exitCode: child.exitCode, stderr }),
    );
  });
}

describe('node:http', () => {
  it('dies by a listener that throws', async () => {
    const { exitCode, stderr } = await exitCodeAfter("() => { throw new Error('bare'); }");
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('Error: bare');
  });

  it('dies by an asynchronous listener that rejects', async () => {
    const { exitCode, stderr } = await exitCodeAfter("async () => { throw new Error('bare'); }");
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('Error: bare');
  });
});
