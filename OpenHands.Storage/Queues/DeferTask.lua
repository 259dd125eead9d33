-- Puts a task aside until a delay has passed, if this worker still has it or Redis has lost it meanwhile.
-- KEYS[1]  queues
-- KEYS[2]  deferred:{name}
-- KEYS[3]  taken:{name}
-- KEYS[4]  deliveries:{name}
-- ARGV[1]  name of the queue
-- ARGV[2]  worker id
-- ARGV[3]  delivery id
-- ARGV[4]  delay, ms
-- ARGV[5]  failed attempts so far
-- ARGV[6]  reason why it is to be set aside, '' when it is to run again
-- ARGV[7]  value
-- returns  1 deferred, 0 another worker has it

local id = ARGV[3]
local owner = redis.call('HGET', KEYS[3], id)
if owner ~= ARGV[2] and (owner or redis.call('HEXISTS', KEYS[4], id .. ':value') == 1) then
  return 0
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Its worker lived to tell: deliveries that were lost before no longer count.
redis.call('HSET', KEYS[4], id .. ':value', ARGV[7], id .. ':lost', 0, id .. ':attempts', ARGV[5], id .. ':reason', ARGV[6])
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[2], now + ARGV[4], id)
redis.call('HDEL', KEYS[3], id)
return 1
