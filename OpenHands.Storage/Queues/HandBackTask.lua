-- Gives a task back unfinished, if this worker still has it or Redis has lost it meanwhile. A value that was never deferred
-- or lost returns to the head of its list as if nobody had taken it; any other is due at once, with its counts.
-- KEYS[1]  queues
-- KEYS[2]  queue:{name}
-- KEYS[3]  deferred:{name}
-- KEYS[4]  taken:{name}
-- KEYS[5]  deliveries:{name}
-- ARGV[1]  name of the queue
-- ARGV[2]  worker id
-- ARGV[3]  delivery id
-- ARGV[4]  value
-- returns  1 handed back, 0 another worker has it

local id = ARGV[3]
local owner = redis.call('HGET', KEYS[4], id)
if owner ~= ARGV[2] and (owner or redis.call('HEXISTS', KEYS[5], id .. ':value') == 1) then
  return 0
end

local known = redis.call('HMGET', KEYS[5], id .. ':lost', id .. ':attempts')
if known[1] or known[2] then
  redis.call('ZADD', KEYS[3], 0, id)
else
  redis.call('LPUSH', KEYS[2], ARGV[4])
  redis.call('HDEL', KEYS[5], id .. ':value')
end
redis.call('HDEL', KEYS[4], id)
if redis.call('EXISTS', KEYS[5]) == 0 then
  redis.call('SREM', KEYS[1], ARGV[1])
end
return 1
