-- Announces committed tasks, as many as the list has room for, and wakes the workers. Whatever finds no room the feeder brings later.
-- KEYS[1]  queue:{name}
-- KEYS[2]  window:{name}
-- KEYS[3]  channel of queues that have something new
-- ARGV[1]  name of the queue
-- ARGV[2]  room while no feeder has said how much there is
-- ARGV[3…]  ids of the tasks
-- returns  how many were pushed

local window = tonumber(redis.call('GET', KEYS[2]) or ARGV[2])
local room = window - redis.call('LLEN', KEYS[1])
local count = math.min(room, #ARGV - 2)
if count <= 0 then
  return 0
end

redis.call('RPUSH', KEYS[1], unpack(ARGV, 3, 2 + count))
redis.call('PUBLISH', KEYS[3], ARGV[1])
return count
