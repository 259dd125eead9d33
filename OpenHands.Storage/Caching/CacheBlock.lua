-- Replaces an entry by a marker before a COMMIT: readers go to PostgreSQL and do not fill. Several writers share one marker.
-- KEYS[1]  entry
-- ARGV[1]  writer token
-- ARGV[2]  how long the marker stands at most, ms: longer than a transaction can last
-- returns  1

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local entry = redis.call('GET', KEYS[1])
if entry and string.sub(entry, 1, 1) == 'M' then
  redis.call('SET', KEYS[1], entry .. ARGV[1] .. ' ', 'PX', ARGV[2])
else
  redis.call('SET', KEYS[1], 'M0 ' .. string.format('%.0f', now) .. ' ' .. ARGV[1] .. ' ', 'PX', ARGV[2])
end
return 1
