-- Announces committed tasks, as many as the list has room for, and wakes the workers. What finds no room the feeder brings, and until then no
-- other producer passes it: whoever takes the last tells the feeder.
-- KEYS[1]  queue:{name}
-- KEYS[2]  window:{name}
-- KEYS[3]  channel of queues that have something new
-- ARGV[1]  name of the queue
-- ARGV[2]  room while no feeder has said how much there is
-- ARGV[3]  how long "no room" holds while no feeder has said how much there is, ms
-- ARGV[4…]  ids of the tasks
-- returns  how many were pushed

local window = tonumber(redis.call('GET', KEYS[2]) or ARGV[2])
local room = window - redis.call('LLEN', KEYS[1])
local count = math.min(room, #ARGV - 3)
if window > 0 and count < #ARGV - 3 then
  redis.call('SET', KEYS[2], -window, 'PX', math.max(redis.call('PTTL', KEYS[2]), tonumber(ARGV[3])))
end
if count <= 0 then
  return 0
end

redis.call('RPUSH', KEYS[1], unpack(ARGV, 4, 3 + count))
redis.call('PUBLISH', KEYS[3], ARGV[1])
return count
