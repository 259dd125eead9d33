-- Reads an entry, or takes the lease to load it.
-- KEYS[1]  entry
-- ARGV[1]  lease token
-- ARGV[2]  how long the lease holds, ms
-- returns  {'value', age in ms, version, payload}; {'lease'} when this caller is to load and fill; {'wait'} while another one
--          loads; {'write'} while somebody writes: load and do not fill

local entry = redis.call('GET', KEYS[1])
if not entry then
  redis.call('SET', KEYS[1], 'L' .. ARGV[1], 'PX', ARGV[2])
  return {'lease'}
end
local kind = string.sub(entry, 1, 1)
if kind == 'L' then
  return {'wait'}
end
if kind == 'M' then
  return {'write'}
end
local stamp, version, payload = string.match(entry, '^V(%d+) (%d+) (.*)$')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return {'value', tostring(now - stamp), version, payload}
