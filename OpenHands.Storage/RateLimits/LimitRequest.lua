-- Decides on a request under all its policies at once. It is allowed when all that are enforced allow it; only then it counts.
-- Up to a limit of 100 a key holds the time of every request of the last window ('L', then 6 bytes each, in ms), above it two
-- counters ('C', number of the present window, count of the one before, count of the present one).
-- KEYS[1…] one key for each policy
-- ARGV[1]  what the request costs, 1 or more
-- ARGV[2…] three for each policy: its limit, its window in ms, 1 enforced or 0 only watched
-- returns  {1 allowed or 0 refused, then four for each policy: 1 allows or 0 refuses, what remains, ms until more remains,
--          ms until this request would be allowed}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local cost = tonumber(ARGV[1])

local function stamp(log, number)
  return (struct.unpack('>I6', log, number * 6 - 4))
end

-- The requests of the last window, oldest first, and how many they are.
local function entries(log, window)
  local count = (#log - 1) / 6
  if count > 0 and stamp(log, count) > now then
    -- The clock was set back: what seems to come was now.
    local kept = {}
    for number = 1, count do
      kept[number] = struct.pack('>I6', math.min(now, stamp(log, number)))
    end
    log = 'L' .. table.concat(kept)
  end
  local first, last = 1, count + 1
  while first < last do
    local middle = math.floor((first + last) / 2)
    if stamp(log, middle) > now - window then
      last = middle
    else
      first = middle + 1
    end
  end
  return 'L' .. string.sub(log, first * 6 - 4), count - first + 1
end

local function look_at_log(value, limit, window)
  local log, count = 'L', 0
  if value and string.sub(value, 1, 1) == 'L' then
    log, count = entries(value, window)
  end
  local state = { allows = count + cost <= limit, remains = limit - count }
  -- ms until the oldest so and so many are older than the window
  function state.wait(many)
    if many < 1 then
      return 0
    end
    return many <= count and stamp(log, many) + window - now or window
  end
  state.retry = state.wait(count + cost - limit)
  function state.count()
    log, count = log .. string.rep(struct.pack('>I6', now), cost), count + cost
    state.remains = limit - count
    return log, window
  end
  function state.more()
    return state.wait(count > 0 and 1 or 0)
  end
  return state
end

local function look_at_counters(value, limit, window)
  local index, before, present = math.floor(now / window), 0, 0
  if value and string.sub(value, 1, 1) == 'C' then
    local at, former, latter = string.match(value, '^C(%d+) (%d+) (%d+)$')
    if tonumber(at) == index - 1 then
      before = tonumber(latter)
    elseif tonumber(at) >= index then -- greater where the clock was set back
      before, present = tonumber(former), tonumber(latter)
    end
  end
  local elapsed = now - index * window
  local function used()
    return before * (1 - elapsed / window) + present
  end
  local state = { allows = used() + cost <= limit + 1e-9, remains = math.floor(limit - used() + 1e-9) }
  -- ms until no more than that is used, if nothing else comes
  function state.wait(room)
    if used() <= room + 1e-9 then
      return 0
    end
    if present <= room then
      return math.ceil(window * (1 - (room - present) / before)) - elapsed
    end
    return window - elapsed + math.ceil(window * (1 - math.max(0, room) / present))
  end
  state.retry = state.allows and 0 or state.wait(limit - cost)
  function state.count()
    present = present + cost
    state.remains = math.floor(limit - used() + 1e-9)
    return string.format('C%.0f %d %d', index, before, present), 2 * window - elapsed
  end
  function state.more()
    return used() > 0 and state.wait(math.max(0, math.ceil(used() - 1e-9) - 1)) or 0
  end
  return state
end

local states, allowed = {}, 1
for number = 1, #KEYS do
  local limit, window, enforced = tonumber(ARGV[number * 3 - 1]), tonumber(ARGV[number * 3]), ARGV[number * 3 + 1]
  local value = redis.call('GET', KEYS[number])
  states[number] = limit <= 100 and look_at_log(value, limit, window) or look_at_counters(value, limit, window)
  if enforced == '1' and not states[number].allows then
    allowed = 0
  end
end

local answer = { allowed }
for number = 1, #KEYS do
  local state = states[number]
  if allowed == 1 and state.allows then
    local value, lifetime = state.count()
    redis.call('SET', KEYS[number], value, 'PX', lifetime)
  end
  answer[#answer + 1] = state.allows and 1 or 0
  answer[#answer + 1] = math.max(0, state.remains)
  answer[#answer + 1] = state.more()
  answer[#answer + 1] = state.retry
end
return answer
