import { script, type Script } from './script.ts';

/**
 * Stores jobs, all or none, and reports those that exist.
 *
 * In: now, until when held ones are held, then for each job 13 values in the order of `toColumns`.
 * Out: for each job its id and whether it existed (1), or that of the job that has its unique key (1).
 */
export const ENQUEUE: Script = script(`
local nowMs, holdUntilMs = tonumber(ARGV[1]), tonumber(ARGV[2])
local queues = call('SMEMBERS', own .. 'queues')
local isKnown = {}
for _, queue in ipairs(queues) do isKnown[queue] = true end
local results = {}
local toWake = {}

local function exists(id)
  local places = {}
  for i, queue in ipairs(queues) do places[i] = root .. queue .. ':' .. id end
  return #places > 0 and call('EXISTS', unpack(places)) > 0
end

for at = 3, #ARGV, 13 do
  local queue, id, task, payload = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local priority, attempts, runAt = tonumber(ARGV[at + 4]), ARGV[at + 5], tonumber(ARGV[at + 6])
  local uniqueKey, uniqueUntil = ARGV[at + 7], ARGV[at + 8]
  local scheduleKey, scheduleFor, traceparent = ARGV[at + 9], ARGV[at + 10], ARGV[at + 11]
  local isHeld = ARGV[at + 12] == '1'
  local owner = uniqueKey ~= '' and ownerOf(uniqueKey, nowMs)
  if exists(id) then
    results[#results + 1] = { id, 1 }
  elseif owner then
    results[#results + 1] = { owner, 1 }
  else
    if not isKnown[queue] then
      isKnown[queue] = true
      queues[#queues + 1] = queue
      call('SADD', own .. 'queues', queue)
    end
    local q = root .. queue .. ':'
    local isDelayed = isHeld or runAt > nowMs
    local dueMs = isHeld and math.max(runAt, holdUntilMs) or runAt
    local sequence = call('INCR', own .. 'sequence')
    call('HSET', q .. id, 'name', task, 'data', payload, 'opts', '{}', 'timestamp', nowMs,
      'delay', isDelayed and dueMs - nowMs or 0, 'priority', priority, 'attempts', attempts,
      'runAt', ARGV[at + 6], 'sequence', sequence, 'state', isDelayed and 'scheduled' or 'available')
    if uniqueKey ~= '' then
      call('HSET', q .. id, 'uniqueKey', uniqueKey, 'uniqueUntil', uniqueUntil)
      takeUnique(uniqueKey, uniqueUntil, queue, id)
    end
    if scheduleKey ~= '' then
      call('HSET', q .. id, 'scheduleKey', scheduleKey, 'scheduleFor', scheduleFor)
    end
    if traceparent ~= '' then call('HSET', q .. id, 'traceparent', traceparent) end
    if isHeld then call('HSET', q .. id, 'held', 1) end
    call('ZADD', own .. 'jobs', sequence, queue .. ':' .. id)
    if isDelayed then
      pushDelayed(q, id, dueMs)
    else
      pushBack(q, id, priority, 0)
      toWake[q] = true
    end
    tell('stored', queue, id)
    results[#results + 1] = { id, 0 }
  end
end
for q in pairs(toWake) do wake(q) end
return results
`);

/** In: now, then for each job its queue and id. */
export const RELEASE: Script = script(`
local nowMs = tonumber(ARGV[1])
for at = 2, #ARGV, 2 do
  local queue, id = ARGV[at], ARGV[at + 1]
  local q = root .. queue .. ':'
  local held, runAt, priority, state = unpack(call('HMGET', q .. id, 'held', 'runAt', 'priority', 'state'))
  if held and state == 'scheduled' then
    call('HDEL', q .. id, 'held')
    call('ZREM', q .. 'delayed', id)
    if tonumber(runAt) > nowMs then
      call('HSET', q .. id, 'delay', tonumber(runAt) - nowMs)
      pushDelayed(q, id, tonumber(runAt))
    else
      call('HSET', q .. id, 'state', 'available', 'delay', 0)
      pushBack(q, id, tonumber(priority), 0)
      wake(q)
      tell('available', queue, id)
    end
  end
end
return 0
`);
