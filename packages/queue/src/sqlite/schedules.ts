import type { Schedule } from '../driver.ts';
import type { Sql } from './sql.ts';

/** Stores a schedule; one with the same cron and time zone keeps its last tick. */
export function putSchedule(sql: Sql, schedule: Schedule): void {
  const { key, cron, timeZone, task, lastTickMs } = schedule;
  sql.run(
    `INSERT INTO schedules (key, cron, time_zone, task, last_tick) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET cron = excluded.cron, time_zone = excluded.time_zone,
       task = excluded.task,
       last_tick = iif(cron = excluded.cron AND time_zone = excluded.time_zone,
         last_tick, excluded.last_tick)`,
    key,
    cron,
    timeZone,
    task,
    lastTickMs,
  );
}

export function readSchedules(sql: Sql): readonly Schedule[] {
  return sql.all('SELECT * FROM schedules ORDER BY key').map((row) => ({
    key: String(row.key),
    cron: String(row.cron),
    timeZone: String(row.time_zone),
    task: String(row.task),
    lastTickMs: Number(row.last_tick),
  }));
}
