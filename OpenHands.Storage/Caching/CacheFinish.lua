-- Ends a write. The last of several writers puts the new state, if it has the newest; otherwise the next reader loads it. The entry is
-- as old as the marker, since somebody who does not reach Redis may have replaced the state between COMMIT and now.
-- KEYS[1]  entry
-- ARGV[1]  writer token
-- ARGV[2]  version written; 0 for none
-- ARGV[3]  payload
-- ARGV[4]  how long the entry lives, ms; 0 to put nothing
-- returns  1 put, 0 not put

local entry = redis.call('GET', KEYS[1])
local newest, stamp, writers
if entry then
  newest, stamp, writers = string.match(entry, '^M(%d+) (%d+) (.*)$')
end
local from, to
if writers then
  from, to = string.find(writers, ARGV[1] .. ' ', 1, true)
end
if not from then
  -- The marker is gone, and nobody knows what was filled since.
  redis.call('DEL', KEYS[1])
  return 0
end
writers = string.sub(writers, 1, from - 1) .. string.sub(writers, to + 1)
if writers ~= '' then
  if ARGV[4] == '0' then
    newest = '999999999999999999' -- nobody knows what was written: the others put nothing, either
  elseif tonumber(ARGV[2]) > tonumber(newest) then
    newest = ARGV[2]
  end
  redis.call('SET', KEYS[1], 'M' .. newest .. ' ' .. stamp .. ' ' .. writers, 'KEEPTTL')
  return 0
end
if ARGV[4] == '0' or tonumber(ARGV[2]) <= tonumber(newest) then
  redis.call('DEL', KEYS[1])
  return 0
end
redis.call('SET', KEYS[1], 'V' .. stamp .. ' ' .. ARGV[2] .. ' ' .. ARGV[3], 'PX', ARGV[4])
return 1
