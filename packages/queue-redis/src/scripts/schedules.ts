import { script, type Script } from './script.ts';

/** In: key, cron and time zone as one, task, last tick. */
export const PUT_SCHEDULE: Script = script(`
local key, timing = ARGV[1], ARGV[2]
local old = call('HGET', own .. 'schedules', key)
call('HSET', own .. 'schedules', key, timing .. '\\n' .. ARGV[3])
if not old or string.match(old, '^([^\\n]*\\n[^\\n]*)\\n') ~= timing then
  call('HSET', own .. 'ticks', key, ARGV[4])
end
return 0
`);

/** In: key. Out: 1 if there was one. */
export const REMOVE_SCHEDULE: Script = script(`
call('HDEL', own .. 'ticks', ARGV[1])
return call('HDEL', own .. 'schedules', ARGV[1])
`);

/** Out: for each its key, its cron, time zone and task as one, and its last tick. */
export const SCHEDULES: Script = script(`
local all = call('HGETALL', own .. 'schedules')
local found = {}
for i = 1, #all, 2 do
  found[#found + 1] = { all[i], all[i + 1], call('HGET', own .. 'ticks', all[i]) or '0' }
end
return found
`);

/** In: key, tick. */
export const TICKED: Script = script(`
local last = call('HGET', own .. 'ticks', ARGV[1])
if last and tonumber(last) < tonumber(ARGV[2]) then call('HSET', own .. 'ticks', ARGV[1], ARGV[2]) end
return 0
`);
