import { script, type Script } from './script.ts';
import { IS_FINAL } from './shared.ts';

/**
 * In: now, the three times before which ended jobs are forgotten, ids. Out: of each its queue and fields;
 * false for one that does not exist.
 */
export const GET: Script = script(`
local nowMs = tonumber(ARGV[1])
local isFresh = {}
local found = {}
for at = 5, #ARGV do
  local id = ARGV[at]
  local queue = queueOf(id)
  found[at - 4] = false
  if queue then
    local q = root .. queue .. ':'
    if not isFresh[queue] then
      isFresh[queue] = true
      promote(q, queue, nowMs)
      sweep(q, queue, { ARGV[2], ARGV[3], ARGV[4] })
    end
    local fields = call('HGETALL', q .. id)
    if #fields > 0 then found[at - 4] = { queue, fields } end
  end
end
return found
`);

/** In: id, now. Out: what became of it. */
export const CANCEL: Script = script(`
local id = ARGV[1]
local queue = queueOf(id)
if not queue then return 'unknown' end
local q = root .. queue .. ':'
local state, uniqueKey, uniqueUntil = unpack(call('HMGET', q .. id, 'state', 'uniqueKey', 'uniqueUntil'))
if state == 'running' then
  call('HSET', q .. id, 'cancel', 1)
  call('PUBLISH', own .. 'cancel', queue .. ':' .. id)
  return 'requested'
end
if state ~= 'scheduled' and state ~= 'available' then return 'finished' end
takeOut(q, id, state)
finish(q, queue, id, 'cancelled', tonumber(ARGV[2]), uniqueKey, uniqueUntil)
return 'cancelled'
`);

/** In: id, now. Out: 1 if it is available again. */
export const RETRY: Script = script(`
local id, nowMs = ARGV[1], tonumber(ARGV[2])
local queue = queueOf(id)
if not queue then return 0 end
local q = root .. queue .. ':'
local job = q .. id
local state, priority, uniqueKey, uniqueUntil =
  unpack(call('HMGET', job, 'state', 'priority', 'uniqueKey', 'uniqueUntil'))
if not (${IS_FINAL}) then return 0 end
if uniqueKey then
  local owner = ownerOf(uniqueKey, nowMs)
  if owner and owner ~= id then return 0 end
  takeUnique(uniqueKey, uniqueUntil, queue, id)
end
takeOut(q, id, state)
call('HDEL', job, 'finishedOn', 'processedOn', 'returnvalue', 'failedReason', 'progress', 'ats', 'stc')
call('HSET', job, 'state', 'available', 'runAt', nowMs, 'delay', 0)
pushBack(q, id, tonumber(priority), 0)
wake(q)
tell('available', queue, id)
return 1
`);

/** In: id, now. Out: 1 if it is gone. */
export const REMOVE: Script = script(`
local id = ARGV[1]
local queue = queueOf(id)
if not queue then return 0 end
local q = root .. queue .. ':'
local state, uniqueKey, uniqueUntil = unpack(call('HMGET', q .. id, 'state', 'uniqueKey', 'uniqueUntil'))
if state == 'running' then return 0 end
takeOut(q, id, state)
if uniqueKey then freeUnique(uniqueKey, uniqueUntil, queue, id, tonumber(ARGV[2])) end
forget(q, queue, id)
return 1
`);

/** In: queue, now, the three times. Out: how many are scheduled, available, running and so on. */
export const COUNTS: Script = script(`
local q = root .. ARGV[1] .. ':'
promote(q, ARGV[1], tonumber(ARGV[2]))
sweep(q, ARGV[1], { ARGV[3], ARGV[4], ARGV[5] })
return {
  call('ZCARD', q .. 'delayed'),
  call('LLEN', q .. 'wait') + call('ZCARD', q .. 'prioritized') + call('ZCARD', q .. 'suspects'),
  call('LLEN', q .. 'active'),
  call('ZCARD', q .. 'completed'),
  call('ZCARD', q .. 'failed'),
  call('ZCARD', q .. 'cancelled'),
}
`);

/** Out: the queues that have a job, are paused, or are worked on. */
export const QUEUES: Script = script(`
local found = {}
for _, queue in ipairs(call('SMEMBERS', own .. 'queues')) do
  local q = root .. queue .. ':'
  if call('EXISTS', q .. 'delayed', q .. 'wait', q .. 'prioritized', q .. 'suspects', q .. 'active', q .. 'completed',
    q .. 'failed', q .. 'cancelled', q .. 'worked') > 0 or call('HEXISTS', q .. 'meta', 'paused') == 1
  then
    found[#found + 1] = queue
  end
end
return found
`);

/**
 * One stretch of a listing, newest first.
 *
 * In: now, the three times, queue, state and task ('' for any), how many, and before which sequence
 * number. Out: the jobs, each as queue, id and fields; and where to go on, 0 for nowhere.
 *
 * Few jobs in the state that is asked for: they are sorted. Else the list of all jobs is searched, a
 * bounded stretch at a time; so many of them are in the state that a page is soon full.
 */
export const LIST: Script = script(`
local nowMs = tonumber(ARGV[1])
local onlyQueue, state, task, limit = ARGV[5], ARGV[6], ARGV[7], tonumber(ARGV[8])
local below = tonumber(ARGV[9])
local FEW, STRETCH = 5000, 5000
local queues = onlyQueue ~= '' and { onlyQueue } or call('SMEMBERS', own .. 'queues')
local page = {}

local inState = 0
for _, queue in ipairs(queues) do
  local q = root .. queue .. ':'
  promote(q, queue, nowMs)
  sweep(q, queue, { ARGV[2], ARGV[3], ARGV[4] })
  if state == 'available' then
    inState = inState + call('LLEN', q .. 'wait') + call('ZCARD', q .. 'prioritized')
      + call('ZCARD', q .. 'suspects')
  elseif state == 'running' then
    inState = inState + call('LLEN', q .. 'active')
  elseif state ~= '' then
    inState = inState + call('ZCARD', q .. (state == 'scheduled' and 'delayed' or state))
  end
end

if state ~= '' and inState <= FEW then
  local found = {}
  for _, queue in ipairs(queues) do
    local q = root .. queue .. ':'
    local sources
    if state == 'available' then
      sources = { call('LRANGE', q .. 'wait', 0, -1), call('ZRANGE', q .. 'prioritized', 0, -1),
        call('ZRANGE', q .. 'suspects', 0, -1) }
    elseif state == 'running' then
      sources = { call('LRANGE', q .. 'active', 0, -1) }
    else
      sources = { call('ZRANGE', q .. (state == 'scheduled' and 'delayed' or state), 0, -1) }
    end
    for _, ids in ipairs(sources) do
      for _, id in ipairs(ids) do
        local sequence, name = unpack(call('HMGET', q .. id, 'sequence', 'name'))
        sequence = tonumber(sequence)
        if sequence and sequence < below and (task == '' or name == task) then
          found[#found + 1] = { sequence, queue, id }
        end
      end
    end
  end
  table.sort(found, function(a, b) return a[1] > b[1] end)
  local last = 0
  for i = 1, math.min(limit, #found) do
    local sequence, queue, id = unpack(found[i])
    page[i] = { queue, id, call('HGETALL', root .. queue .. ':' .. id) }
    last = sequence
  end
  return { page, #found > limit and last or 0 }
end

local stretch = call('ZREVRANGEBYSCORE', own .. 'jobs', '(' .. ARGV[9], '-inf', 'WITHSCORES', 'LIMIT', 0, STRETCH)
for i = 1, #stretch, 2 do
  local queue, id = string.match(stretch[i], '^([^:]*):(.*)$')
  if onlyQueue == '' or queue == onlyQueue then
    local job = root .. queue .. ':' .. id
    local jobState, name = unpack(call('HMGET', job, 'state', 'name'))
    if name and (state == '' or jobState == state) and (task == '' or name == task) then
      if #page == limit then return { page, math.floor(tonumber(stretch[i - 1])) } end
      page[#page + 1] = { queue, id, call('HGETALL', job) }
    end
  end
end
return { page, #stretch < STRETCH * 2 and 0 or math.floor(tonumber(stretch[#stretch])) }
`);

/** In: queue. */
export const PAUSE: Script = script(`
local q = root .. ARGV[1] .. ':'
call('SADD', own .. 'queues', ARGV[1])
call('HSET', q .. 'meta', 'paused', 1)
call('DEL', q .. 'marker')
return 0
`);

/** In: queue. */
export const RESUME: Script = script(`
local q = root .. ARGV[1] .. ':'
call('HDEL', q .. 'meta', 'paused')
wake(q)
return 0
`);

/** In: queue. Out: 1 if it is. */
export const IS_PAUSED: Script = script(`
return call('HEXISTS', root .. ARGV[1] .. ':meta', 'paused')
`);

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
