-- Fills the list up with tasks that it does not hold yet, and tells producers how much room there is.
-- KEYS[1]  queue:{name}
-- KEYS[2]  window:{name}
-- KEYS[3]  channel of queues that have something new
-- ARGV[1]  name of the queue
-- ARGV[2]  length that the list is to have
-- ARGV[3]  length up to which producers may push; below zero when they may not, and the length that the list has then
-- ARGV[4]  how long that is to hold, ms
-- ARGV[5…]  ids of the tasks
-- returns  array of { how many were pushed, 1 when producers could push nothing before and now can }

local opened = tonumber(ARGV[3]) > 0 and tonumber(redis.call('GET', KEYS[2]) or 1) <= 0
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
local wanted = tonumber(ARGV[2])
local held = {}
for _, value in ipairs(redis.call('LRANGE', KEYS[1], 0, wanted - 1)) do
  held[value] = true
end

local room = wanted - redis.call('LLEN', KEYS[1])
local ids = {}
for i = 5, #ARGV do
  if #ids >= room then
    break
  end
  if not held[ARGV[i]] then
    ids[#ids + 1] = ARGV[i]
  end
end
if #ids > 0 then
  redis.call('RPUSH', KEYS[1], unpack(ids))
  redis.call('PUBLISH', KEYS[3], ARGV[1])
end
return { #ids, opened and 1 or 0 }
