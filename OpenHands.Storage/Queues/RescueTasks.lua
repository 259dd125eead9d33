-- Makes tasks due at once whose worker sends no heartbeat any more, and those that a worker has without knowing it
-- (the answer to its take was lost). Each counts as a lost delivery.
-- KEYS[1]  workers
-- KEYS[2]  deferred:{name}
-- KEYS[3]  taken:{name}
-- KEYS[4]  deliveries:{name}
-- ARGV[1]  worker id of the caller
-- ARGV[2]  1 to look at the tasks of other workers too, 0 for those of the caller alone
-- ARGV[3…] delivery ids that the caller is working on
-- returns  number of tasks rescued

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local mine = {}
for i = 3, #ARGV do
  mine[ARGV[i]] = true
end

local rescued = 0
local taken = redis.call('HGETALL', KEYS[3])
for i = 1, #taken, 2 do
  local id, worker = taken[i], taken[i + 1]
  local abandoned
  if worker == ARGV[1] then
    abandoned = not mine[id]
  elseif ARGV[2] == '1' then
    local until_ms = redis.call('ZSCORE', KEYS[1], worker)
    abandoned = not until_ms or tonumber(until_ms) < now
  end
  if abandoned then
    redis.call('HINCRBY', KEYS[4], id .. ':lost', 1)
    redis.call('ZADD', KEYS[2], 0, id)
    redis.call('HDEL', KEYS[3], id)
    rescued = rescued + 1
  end
end
return rescued
