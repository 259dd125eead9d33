-- Lets the lock live on if this owner still holds it.
-- KEYS[1]  lock
-- ARGV[1]  owner token
-- ARGV[2]  how long it lives from now, ms
-- returns  1 renewed, 0 held by another owner or expired

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
