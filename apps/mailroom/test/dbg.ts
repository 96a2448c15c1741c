import { Mailbox } from '../src/mailbox.ts';
import { Program } from './support/processes.ts';
import { mkdtempSync } from 'node:fs';
const folder = mkdtempSync('/tmp/mr-');
const mailbox = await Mailbox.open(0);
const env = {
  PORT: '0',
  HOST: '127.0.0.1',
  WORKERS: 'separate',
  SMTP_URL: mailbox.url,
  JOBS_FILE: folder + '/jobs.db',
  DELIVERIES_FILE: folder + '/d.db',
};
const t0 = Date.now();
const say = (s: string) => console.log(Date.now() - t0, s, mailbox.mails.length, mailbox.repeated);
const web = new Program('main', env);
const [, url] = await web.says(/mailroom is at (\S+):\n/);
say('web ' + url);
const first = new Program('worker', env);
await first.says(/working/);
say('worker');
const up = async (n: number, from = 0) =>
  Promise.all(
    Array.from(
      { length: n },
      async (_, i) =>
        (
          (await (
            await fetch(url + '/sign-ups', {
              method: 'POST',
              headers: { 'content-type': 'application/json' },
              body: JSON.stringify({ email: `guest${from + i}@example.com`, name: 'G' }),
            })
          ).json()) as any
        ).mail,
    ),
  );
await up(30);
say('30 up');
setTimeout(async () => {
  const { execSync } = await import('node:child_process');
  console.log(
    execSync(
      `sqlite3 ${folder}/jobs.db "select state,holder,attempt,run_at,count(*) from jobs group by 1; select id,pid,queues from workers"; ls ${folder}`,
      { encoding: 'utf8' },
    ),
  );
  console.log((first as any)._output);
}, 3000);
const all = async (n: number) => {
  while (mailbox.mails.length < n) await mailbox.changed();
};
await all(6);
say('6');
await first.end('SIGKILL');
say('killed');
const late = await up(30, 30);
say('60 up');
const second = new Program('worker', env);
const third = new Program('worker', env);
const timer = setInterval(async () => {
  say('tick ' + (second as any).output);
  const { execSync } = await import('node:child_process');
  console.log(
    execSync(
      `sqlite3 ${folder}/jobs.db "select state,count(*) from jobs group by 1; select id,pid from workers"; ls ${folder}`,
      { encoding: 'utf8' },
    ),
  );
}, 5000);
await all(60);
say('all');
for (;;) {
  const r = (await (await fetch(url + '/sign-ups/' + late[0])).json()) as any;
  if (r.state === 'completed') break;
}
say('completed');
console.log(await second.end('SIGTERM'));
say('second');
console.log(await third.end('SIGTERM'));
say('third');
console.log(await web.end('SIGTERM'));
say('web');
clearInterval(timer);
await mailbox.close();
