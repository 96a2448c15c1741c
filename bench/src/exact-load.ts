import { Agent, get } from 'node:http';

/** Sends so many requests over one connection, one after another. */
export async function sendExactly(url: string, count: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let i = 0; i < count; i++) await sendOne(url, agent);
  agent.destroy();
}

function sendOne(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      response.on('end', resolve).on('error', reject).resume();
    }).on('error', reject);
  });
}
