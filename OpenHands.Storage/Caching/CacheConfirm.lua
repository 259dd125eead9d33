-- Takes note of what PostgreSQL said of an entry that is no longer young.
-- KEYS[1]  entry
-- ARGV[1]  version that was asked about
-- ARGV[2]  1 still the present one, 0 not
-- ARGV[3]  Redis' time before PostgreSQL was asked, ms, as CacheRead gave it
-- returns  1 done, 0 there is another entry by now

local entry = redis.call('GET', KEYS[1])
local version, payload
if entry then
  version, payload = string.match(entry, '^V%d+ (%d+) (.*)$')
end
if version ~= ARGV[1] then
  return 0
end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
  return 1
end
redis.call('SET', KEYS[1], 'V' .. ARGV[3] .. ' ' .. version .. ' ' .. payload, 'KEEPTTL')
return 1
