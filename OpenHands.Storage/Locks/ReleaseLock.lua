-- Deletes the lock if this owner still holds it, and tells those who wait for it.
-- KEYS[1]  lock; also the name of the channel on which its release is told
-- ARGV[1]  owner token
-- returns  1 released, 0 held by another owner or expired

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', KEYS[1], '')
return 1
