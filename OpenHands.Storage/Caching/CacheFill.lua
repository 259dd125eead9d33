-- Puts what a reader has loaded, if its lease still stands: a write, FLUSHALL or the end of the lease refuses it. The entry is as
-- old as the lease, since it was loaded after that and may have been replaced before now.
-- KEYS[1]  entry
-- ARGV[1]  lease token
-- ARGV[2]  version
-- ARGV[3]  payload
-- ARGV[4]  how long the entry lives, ms; 0 to give the lease back
-- returns  1 done, 0 refused

local entry = redis.call('GET', KEYS[1])
local token, stamp
if entry then
  token, stamp = string.match(entry, '^L(%S+) (%d+)$')
end
if token ~= ARGV[1] then
  return 0
end
if ARGV[4] == '0' then
  redis.call('DEL', KEYS[1])
  return 1
end
redis.call('SET', KEYS[1], 'V' .. stamp .. ' ' .. ARGV[2] .. ' ' .. ARGV[3], 'PX', ARGV[4])
return 1
