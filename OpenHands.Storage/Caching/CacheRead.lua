-- Reads an entry, or takes the lease to load it.
-- KEYS[1]  entry
-- ARGV[1]  lease token
-- ARGV[2]  how long the lease holds, ms; 0 to take none
-- returns  {'value', age in ms, version, payload, now in ms}; {'lease'} when this caller is to load and fill; {'wait'} while another
--          one loads; {'write'} while somebody writes: load and do not fill; {'none'} where no lease is wanted

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local entry = redis.call('GET', KEYS[1])
if not entry then
  if ARGV[2] == '0' then
    return {'none'}
  end
  redis.call('SET', KEYS[1], 'L' .. ARGV[1] .. ' ' .. string.format('%.0f', now), 'PX', ARGV[2])
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
local age = now - stamp
if age < 0 then
  age = 86400000 -- the clock was set back, and nobody knows
end
return {'value', age, version, payload, string.format('%.0f', now)}
