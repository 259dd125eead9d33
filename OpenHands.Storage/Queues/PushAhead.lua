-- Puts committed tasks before all others, in their order, and wakes the workers.
-- KEYS[1]  queue:{name}
-- KEYS[2]  channel of queues that have something new
-- ARGV[1]  name of the queue
-- ARGV[2…]  ids of the tasks
-- returns  how many were pushed

for i = #ARGV, 2, -1 do
  redis.call('LPUSH', KEYS[1], ARGV[i])
end
redis.call('PUBLISH', KEYS[2], ARGV[1])
return #ARGV - 1
