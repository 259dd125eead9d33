-- Takes from the head of a list. An id may get lost, since its row stands in PostgreSQL; any other value is kept until it stands there, too.
-- KEYS[1]  queue:{name}
-- KEYS[2]  adopting:{name}
-- KEYS[3]  window:{name}
-- KEYS[4]  channel of queues that run low
-- ARGV[1]  name of the queue
-- ARGV[2…]  as many unused ids as values are wanted
-- returns  array of { ids of tasks, array of id and value of each other value, length of the list }

local ids, values = {}, {}
for i = 2, #ARGV do
  local value = redis.call('LPOP', KEYS[1])
  if not value then
    break
  end
  if #value == 32 and not string.find(value, '[^0-9a-f]') then
    ids[#ids + 1] = value
  else
    redis.call('HSET', KEYS[2], ARGV[i], value)
    values[#values + 1] = ARGV[i]
    values[#values + 1] = value
  end
end

-- Once only for each time that the list was filled: the feeder looks while the other half is taken.
local length = redis.call('LLEN', KEYS[1])
local room = tonumber(redis.call('GET', KEYS[3]) or 1)
if room <= 0 and length < math.max(-room / 2, #ARGV) then
  if room < 0 then
    redis.call('SET', KEYS[3], '0', 'PX', math.max(redis.call('PTTL', KEYS[3]), 1))
  end
  redis.call('PUBLISH', KEYS[4], ARGV[1])
end
return { ids, values, length }
