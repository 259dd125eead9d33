-- Puts what a reader has loaded, if its lease still stands: a write, FLUSHALL or the end of the lease refuses it.
-- KEYS[1]  entry
-- ARGV[1]  lease token
-- ARGV[2]  version
-- ARGV[3]  payload
-- ARGV[4]  how long the entry lives, ms; 0 to give the lease back
-- returns  1 done, 0 refused

if redis.call('GET', KEYS[1]) ~= 'L' .. ARGV[1] then
  return 0
end
if ARGV[4] == '0' then
  redis.call('DEL', KEYS[1])
  return 1
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('SET', KEYS[1], 'V' .. string.format('%.0f', now) .. ' ' .. ARGV[2] .. ' ' .. ARGV[3], 'PX', ARGV[4])
return 1
