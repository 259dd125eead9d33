-- Removes a task for good, if this worker still has it.
-- KEYS[1]  queues
-- KEYS[2]  taken:{name}
-- KEYS[3]  deliveries:{name}
-- ARGV[1]  name of the queue
-- ARGV[2]  worker id
-- ARGV[3]  delivery id
-- returns  1 removed, 0 another worker has it or nobody knows it

if redis.call('HGET', KEYS[2], ARGV[3]) ~= ARGV[2] then
  return 0
end

redis.call('HDEL', KEYS[2], ARGV[3])
redis.call('HDEL', KEYS[3], ARGV[3] .. ':value', ARGV[3] .. ':lost', ARGV[3] .. ':attempts', ARGV[3] .. ':reason')
if redis.call('EXISTS', KEYS[3]) == 0 then
  redis.call('SREM', KEYS[1], ARGV[1])
end
return 1
