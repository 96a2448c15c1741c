import { script, type Script } from './script.ts';

/**
 * Settles attempts that have ended and claims as many jobs, in one go.
 *
 * In: queue, now, milliseconds of the lease, the three times before which ended jobs are forgotten,
 * whether a suspect may be taken (1), how many attempts; for each of them id, token, ending, and what goes with it (twice); then the tokens of
 * those who want a job. Endings: `completed` (result), `failed` (errors, message), `cancelled`,
 * `retry` (errors, when), `snooze` (when), `handed-back`.
 *
 * Out: for each attempt 1, or 0 if it is not the running one any more; the fields of each claimed job
 * with its id after them; when the next job is due, 0 for never.
 */
export const STEP: Script = script(`
local queue, nowMs, leaseMs = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local q = root .. queue .. ':'
local before = { ARGV[4], ARGV[5], ARGV[6] }
local maySuspect, count = ARGV[7] == '1', tonumber(ARGV[8])
local settled = {}

local function settle(id, token, ending, first, second)
  local job = q .. id
  local current, uniqueKey, uniqueUntil, priority, cancel, crashes =
    unpack(call('HMGET', job, 'token', 'uniqueKey', 'uniqueUntil', 'priority', 'cancel', 'stc'))
  if current ~= token then return 0 end
  call('LREM', q .. 'active', -1, id)
  call('DEL', job .. ':lock')
  if ending == 'completed' then
    if first ~= '' then call('HSET', job, 'returnvalue', first) end
  elseif ending == 'failed' then
    call('HSET', job, 'errors', first, 'failedReason', second)
  elseif ending ~= 'cancelled' then
    if ending == 'retry' then
      call('HSET', job, 'errors', first)
    else
      call('HINCRBY', job, 'ats', -1)
    end
    -- Whoever called it off was told that it would be.
    if cancel then
      ending = 'cancelled'
    else
      call('HDEL', job, 'token', 'progress')
      priority, crashes = tonumber(priority), tonumber(crashes) or 0
      if ending == 'handed-back' then
        call('HSET', job, 'state', 'available')
        pushFront(q, id, priority, crashes)
        wake(q)
        tell('available', queue, id)
        return 1
      end
      local atMs = tonumber(second)
      call('HSET', job, 'runAt', second)
      if atMs > nowMs then
        call('HSET', job, 'state', 'scheduled', 'delay', atMs - nowMs)
        pushDelayed(q, id, atMs)
        tell('scheduled', queue, id)
      else
        call('HSET', job, 'state', 'available')
        pushBack(q, id, priority, crashes)
        wake(q)
        tell('available', queue, id)
      end
      return 1
    end
  end
  finish(q, queue, id, ending, nowMs, uniqueKey, uniqueUntil)
  return 1
end

for i = 1, count do
  local at = 4 + i * 5
  settled[i] = settle(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4])
end
if count > 0 then sweep(q, queue, before) end

local nextMs = promote(q, queue, nowMs)
local claimed = {}
local isPaused = call('HEXISTS', q .. 'meta', 'paused') == 1

local function takeFrom(set, id)
  call('ZREM', q .. set, id)
  call('LPUSH', q .. 'active', id)
  return id
end

local function take()
  local first = call('ZRANGE', q .. 'prioritized', 0, 0, 'WITHSCORES')
  local score = first[1] and tonumber(first[2])
  if maySuspect then
    local suspected = call('ZRANGE', q .. 'suspects', 0, 0, 'WITHSCORES')
    if suspected[1] then
      local best = score or 16 * CLASS
      if best >= MIDDLE and call('EXISTS', q .. 'wait') == 1 then best = MIDDLE end
      if math.floor(tonumber(suspected[2]) / CLASS) <= math.floor(best / CLASS) then
        maySuspect = false
        return takeFrom('suspects', suspected[1])
      end
    end
  end
  if not score or score >= MIDDLE then
    local waiting = call('RPOPLPUSH', q .. 'wait', q .. 'active')
    if waiting then return waiting end
  end
  return score and takeFrom('prioritized', first[1])
end

for at = 9 + count * 5, #ARGV do
  if isPaused then break end
  local id = take()
  if not id then break end
  local job = q .. id
  call('SET', job .. ':lock', ARGV[at], 'PX', leaseMs)
  call('HSET', job, 'state', 'running', 'token', ARGV[at], 'processedOn', nowMs)
  call('HINCRBY', job, 'ats', 1)
  call('HDEL', job, 'missedAt')
  local fields = call('HGETALL', job)
  fields[#fields + 1] = 'id'
  fields[#fields + 1] = id
  claimed[#claimed + 1] = fields
  tell('running', queue, id)
end
-- Workers wait for the marker, and each of them takes it: who leaves something puts it back.
if #claimed > 0 and call('EXISTS', q .. 'wait', q .. 'prioritized') > 0 or
  #claimed + count > 0 and call('EXISTS', q .. 'suspects') == 1
then
  wake(q)
end
return { settled, claimed, nextMs }
`);

/**
 * A sign of life of running attempts.
 *
 * In: queue, milliseconds of the lease, then id and token of each. Out: the tokens of those that are not
 * its own any more, and of those that somebody wants cancelled.
 */
export const RENEW: Script = script(`
local q = root .. ARGV[1] .. ':'
local lost, cancelled = {}, {}
for at = 3, #ARGV, 2 do
  local job = q .. ARGV[at]
  local token, cancel, missedAt = unpack(call('HMGET', job, 'token', 'cancel', 'missedAt'))
  if token == ARGV[at + 1] then
    -- Also if the lock is gone: Redis was away for longer than the lease, and nobody took the job.
    call('SET', job .. ':lock', token, 'PX', ARGV[2])
    if missedAt then call('HDEL', job, 'missedAt') end
    if cancel then cancelled[#cancelled + 1] = token end
  else
    lost[#lost + 1] = ARGV[at + 1]
  end
end
return { lost, cancelled }
`);

/**
 * Gives back the jobs of workers that gave no sign of life for a lease.
 *
 * Not at first sight: when Redis was away for longer than that, all are late, and those who live say so as
 * soon as it is back. The time for it is that of Redis, since machines differ.
 *
 * In: queue, now, milliseconds of the lease, the three times before which ended jobs are forgotten.
 */
export const RECOVER: Script = script(`
local queue, nowMs, leaseMs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local q = root .. queue .. ':'
local time = call('TIME')
local redisMs = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
call('SADD', own .. 'queues', queue)
call('SET', q .. 'worked', nowMs, 'PX', leaseMs * 2)
local recovered = {}
for _, id in ipairs(call('LRANGE', q .. 'active', 0, -1)) do
  local job = q .. id
  if call('EXISTS', job .. ':lock') == 0 then
    local priority, cancel, uniqueKey, uniqueUntil, missedAt =
      unpack(call('HMGET', job, 'priority', 'cancel', 'uniqueKey', 'uniqueUntil', 'missedAt'))
    if not priority then
      call('LREM', q .. 'active', -1, id) -- somebody else removed the job
    elseif not missedAt then
      call('HSET', job, 'missedAt', redisMs)
    elseif redisMs - tonumber(missedAt) >= math.floor(leaseMs / 3) - 5 then
      call('LREM', q .. 'active', -1, id)
      local crashes = call('HINCRBY', job, 'stc', 1)
      if cancel then
        finish(q, queue, id, 'cancelled', nowMs, uniqueKey, uniqueUntil)
      else
        call('HDEL', job, 'token', 'progress')
        call('HSET', job, 'state', 'available')
        suspect(q, id, tonumber(priority), crashes)
        wake(q)
        tell('available', queue, id)
      end
      recovered[#recovered + 1] = id
    end
  end
end
sweep(q, queue, { ARGV[4], ARGV[5], ARGV[6] })
return recovered
`);

/** In: queue, id, token, fraction. */
export const PROGRESS: Script = script(`
local job = root .. ARGV[1] .. ':' .. ARGV[2]
if call('HGET', job, 'token') ~= ARGV[3] then return 0 end
call('HSET', job, 'progress', ARGV[4])
tell('progress', ARGV[1], ARGV[2])
return 1
`);

/** Something is due: a worker looks for it. In: queue. */
export const WAKE: Script = script(`
wake(root .. ARGV[1] .. ':')
return 0
`);
