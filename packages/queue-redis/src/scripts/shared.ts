import { FINAL_STATES } from '@thereafter/queue/driver';

/** Lua that asks whether the variable `state` is one in which a job has ended. */
export const IS_FINAL: string = FINAL_STATES.map((state) => `state == '${state}'`).join(' or ');

/*
 * What the scripts share: where things stand, and how a job gets from one place to the next. A script gets
 * the parts that it names, and those that they name: each costs something every time it is read.
 */

const HEAD = `
local call = redis.call
-- KEYS[1] is the prefix of everything, with its colon. All queues of a prefix are one to these scripts:
-- an id and a unique key exist once in all of them.
local root = KEYS[1]
local own = root .. ':'
-- Of a priority in the middle, as BullMQ counts them: such jobs stand in the list 'wait', which is
-- faster than the sorted set 'prioritized', where all others stand.
local CLASS = 0x100000000
local MIDDLE = 6 * CLASS
`;

/** Each after those that it names. */
const PARTS: readonly { readonly name: string; readonly lua: string }[] = [
  {
    name: 'tell',
    lua: `
local listeners = call('PUBSUB', 'NUMSUB', own .. 'events')[2]
local function tell(kind, queue, id)
  if listeners > 0 then call('PUBLISH', own .. 'events', kind .. ':' .. queue .. ':' .. id) end
end
`,
  },
  {
    name: 'wake',
    lua: `
-- One of the workers that wait for the queue looks for a job.
local function wake(q)
  if call('HEXISTS', q .. 'meta', 'paused') == 0 then call('ZADD', q .. 'marker', 0, '0') end
end
`,
  },
  {
    name: 'turn',
    lua: `
local function turn(q)
  return call('INCR', q .. 'pc')
end
`,
  },
  {
    name: 'suspect',
    lua: `
-- A job that was running when its worker was lost may be the cause. Such jobs wait apart, since a process
-- takes one of them at a time: the most harmful last.
local function suspect(q, id, priority, crashes)
  local class = priority == 0 and MIDDLE or priority * CLASS
  local part = CLASS / 8
  call('ZADD', q .. 'suspects', class + math.min(crashes, 7) * part + turn(q) % part, id)
end
`,
  },
  {
    name: 'pushBack',
    lua: `
local function pushBack(q, id, priority, crashes)
  if crashes > 0 then
    suspect(q, id, priority, crashes)
  elseif priority == 0 then
    call('LPUSH', q .. 'wait', id)
  else
    call('ZADD', q .. 'prioritized', priority * CLASS + CLASS / 2 + turn(q) % (CLASS / 2), id)
  end
end
`,
  },
  {
    name: 'pushFront',
    lua: `
-- It was running already: before all others of its priority.
local function pushFront(q, id, priority, crashes)
  if crashes > 0 then
    suspect(q, id, priority, crashes)
  elseif priority == 0 then
    call('RPUSH', q .. 'wait', id)
  else
    local low = priority * CLASS
    local first = call('ZRANGEBYSCORE', q .. 'prioritized', low, low + CLASS - 1,
      'WITHSCORES', 'LIMIT', 0, 1)[2]
    call('ZADD', q .. 'prioritized', first and tonumber(first) - 1 or low + CLASS / 2, id)
  end
end
`,
  },
  {
    name: 'pushDelayed',
    lua: `
-- The score is the time in 1/4096 ms, so that jobs of one millisecond keep their order, as in BullMQ.
local function pushDelayed(q, id, atMs)
  local low = atMs * 4096
  local score = low
  while true do
    local last = call('ZREVRANGEBYSCORE', q .. 'delayed', low + 4095, low, 'WITHSCORES', 'LIMIT', 0, 1)[2]
    if not last then break end
    if tonumber(last) < low + 4095 then
      score = tonumber(last) + 1
      break
    end
    low = low + 4096
    score = low
  end
  call('ZADD', q .. 'delayed', score, id)
  local first = call('ZRANGE', q .. 'delayed', 0, 0, 'WITHSCORES')[2]
  call('ZADD', q .. 'marker', math.floor(tonumber(first) / 4096), '1')
end
`,
  },
  {
    name: 'promote',
    lua: `
-- What is due becomes available. Returns when the next is.
local function promote(q, queue, nowMs)
  local due = call('ZRANGEBYSCORE', q .. 'delayed', 0, (nowMs + 1) * 4096 - 1, 'LIMIT', 0, 1000)
  for _, id in ipairs(due) do
    call('ZREM', q .. 'delayed', id)
    local job = q .. id
    local priority, crashes = unpack(call('HMGET', job, 'priority', 'stc'))
    pushBack(q, id, tonumber(priority) or 0, tonumber(crashes) or 0)
    call('HSET', job, 'state', 'available', 'delay', 0)
    tell('available', queue, id)
  end
  if #due > 0 then wake(q) end
  local first = call('ZRANGE', q .. 'delayed', 0, 0, 'WITHSCORES')[2]
  return first and math.floor(tonumber(first) / 4096) or 0
end
`,
  },
  {
    name: 'ownerOf',
    lua: `
-- A unique key holds '<taken until> <whether its job has ended> <queue>:<id>'.
local function ownerOf(key, nowMs)
  local value = call('GET', own .. 'unique:' .. key)
  if not value then return nil end
  local untilMs, ended, queue, id = string.match(value, '^(%d+) (%d) ([^:]*):(.*)$')
  if ended == '1' then
    if tonumber(untilMs) <= nowMs then return nil end
  elseif call('EXISTS', root .. queue .. ':' .. id) == 0 then
    return nil -- somebody else removed the job
  end
  return id
end
`,
  },
  {
    name: 'takeUnique',
    lua: `
local function takeUnique(key, untilMs, queue, id)
  call('SET', own .. 'unique:' .. key, untilMs .. ' 0 ' .. queue .. ':' .. id)
end
`,
  },
  {
    name: 'freeUnique',
    lua: `
local function freeUnique(key, untilMs, queue, id, nowMs)
  local name = own .. 'unique:' .. key
  local value = call('GET', name)
  if value ~= untilMs .. ' 0 ' .. queue .. ':' .. id then return end
  local leftMs = tonumber(untilMs) - nowMs
  if leftMs > 0 then
    call('SET', name, untilMs .. ' 1 ' .. queue .. ':' .. id, 'PX', math.ceil(leftMs))
  else
    call('DEL', name)
  end
end
`,
  },
  {
    name: 'finish',
    lua: `
local function finish(q, queue, id, state, nowMs, uniqueKey, uniqueUntil)
  call('HSET', q .. id, 'state', state, 'finishedOn', nowMs)
  call('HDEL', q .. id, 'token', 'cancel', 'held')
  call('ZADD', q .. state, nowMs, id)
  if uniqueKey then freeUnique(uniqueKey, uniqueUntil, queue, id, nowMs) end
  tell(state, queue, id)
end
`,
  },
  {
    name: 'forget',
    lua: `
local function forget(q, queue, id)
  call('DEL', q .. id, q .. id .. ':lock')
  call('ZREM', own .. 'jobs', queue .. ':' .. id)
end
`,
  },
  {
    name: 'sweep',
    lua: `
local ENDED = { ${FINAL_STATES.map((state) => `'${state}'`).join(', ')} }

-- Forgets what ended before these times, the oldest first, a bounded number at a time.
local function sweep(q, queue, before)
  for i, state in ipairs(ENDED) do
    local old = call('ZRANGEBYSCORE', q .. state, '-inf', before[i], 'LIMIT', 0, 200)
    for _, id in ipairs(old) do
      call('ZREM', q .. state, id)
      forget(q, queue, id)
    end
  end
end
`,
  },
  {
    name: 'queueOf',
    lua: `
local allQueues
local function queueOf(id)
  allQueues = allQueues or call('SMEMBERS', own .. 'queues')
  for _, queue in ipairs(allQueues) do
    if call('EXISTS', root .. queue .. ':' .. id) == 1 then return queue end
  end
  return nil
end
`,
  },
  {
    name: 'takeOut',
    lua: `
-- Takes a job out of where it waits, running ones excepted.
local function takeOut(q, id, state)
  if state == 'scheduled' then
    call('ZREM', q .. 'delayed', id)
  elseif state == 'available' then
    if call('ZREM', q .. 'prioritized', id) + call('ZREM', q .. 'suspects', id) == 0 then
      call('LREM', q .. 'wait', -1, id)
    end
  else
    call('ZREM', q .. state, id)
  end
end
`,
  },
];

/** The script with everything that it needs. */
export function withShared(lua: string): string {
  let source = lua;
  for (const part of PARTS.toReversed()) {
    if (new RegExp(`\\b${part.name}\\(`).test(source)) source = part.lua + source;
  }
  return HEAD + source;
}
