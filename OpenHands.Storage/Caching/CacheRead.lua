-- Reads an entry, or takes the lease to load it.
-- KEYS[1]  entry
-- ARGV[1]  lease token
-- ARGV[2]  how long the lease holds, ms; 0 to take none
-- returns  a letter: 'V', followed by Redis' time, ms in 6 bytes, and the entry; 'L' when this caller is to load and fill; 'W' to wait while
--          another one loads; 'M' while somebody writes: load and do not fill; 'N' where there is nothing and no lease is wanted

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local entry = redis.call('GET', KEYS[1])
if not entry then
  if ARGV[2] == '0' then
    return 'N'
  end
  redis.call('SET', KEYS[1], 'L' .. ARGV[1] .. ' ' .. string.format('%.0f', now), 'PX', ARGV[2])
  return 'L'
end
local kind = entry:byte()
if kind == 76 then -- L
  return 'W'
end
if kind == 77 then -- M
  return 'M'
end
return 'V' .. struct.pack('>I6', now) .. entry
