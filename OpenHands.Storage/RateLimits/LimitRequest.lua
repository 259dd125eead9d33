-- Decides on a request under all its policies at once. It is allowed when all that are enforced allow it; only then it counts.
-- Up to a limit of 100 a key holds the time of every request of the last window ('L', then 6 bytes each, in ms), above it two
-- counters ('C', number of the present window in 6 bytes, count of the one before and of the present one in 4 bytes each).
-- KEYS[1…] one key for each policy
-- ARGV[1]  what the request costs, 1 or more
-- ARGV[2…] three for each policy: its limit, its window in ms, 1 enforced or 0 only watched
-- returns  {1 allowed or 0 refused, then four for each policy: 1 allows or 0 refuses, what remains, ms until more remains,
--          ms until this request would be allowed}

local pack, unpack, sub, floor, ceil = struct.pack, struct.unpack, string.sub, math.floor, math.ceil
local time = redis.call('TIME')
local now = time[1] * 1000 + floor(time[2] / 1000)
local cost = tonumber(ARGV[1])
local EXACT, LOG, COUNTERS = 100, 76, 67
local NEARLY = 1e-9 -- fractions that should be whole

-- The requests of the last window, oldest first, without the leading letter.
local function present(log, window)
  local count = #log / 6
  if unpack('>I6', log, count * 6 - 5) > now then
    -- The clock was set back: what seems to come was now.
    local kept = {}
    for number = 1, count do
      kept[number] = pack('>I6', math.min(now, (unpack('>I6', log, number * 6 - 5))))
    end
    log = table.concat(kept)
  end
  if unpack('>I6', log) > now - window then
    return log
  end
  local first, last = 2, count + 1
  while first < last do
    local middle = floor((first + last) / 2)
    if unpack('>I6', log, middle * 6 - 5) > now - window then
      last = middle
    else
      first = middle + 1
    end
  end
  return sub(log, first * 6 - 5)
end

-- ms until no more than the room is used, if nothing else comes.
local function until_room(room, before, latter, elapsed, window)
  if before * (1 - elapsed / window) + latter <= room + NEARLY then
    return 0
  end
  if latter <= room then
    return ceil(window * (1 - (room - latter) / before)) - elapsed
  end
  return window - elapsed + ceil(window * (1 - math.max(0, room) / latter))
end

-- For each policy: requests used, and the log or the two counters.
local used, logs, befores, latters, allowed = {}, {}, {}, {}, 1
for number = 1, #KEYS do
  local limit, window = tonumber(ARGV[number * 3 - 1]), tonumber(ARGV[number * 3])
  local value = redis.call('GET', KEYS[number])
  local kind = value and value:byte()
  if limit <= EXACT then
    logs[number] = kind == LOG and present(sub(value, 2), window) or ''
    used[number] = #logs[number] / 6
  else
    local index, before, latter = floor(now / window), 0, 0
    if kind == COUNTERS then
      local at, former, last = unpack('>I6I4I4', value, 2)
      if at >= index then -- greater where the clock was set back
        before, latter = former, last
      elseif at == index - 1 then
        before = last
      end
    end
    befores[number], latters[number] = before, latter
    used[number] = before * (1 - (now - index * window) / window) + latter
  end
  if used[number] + cost > limit + NEARLY and ARGV[number * 3 + 1] == '1' then
    allowed = 0
  end
end

local answer = { allowed }
for number = 1, #KEYS do
  local limit, window = tonumber(ARGV[number * 3 - 1]), tonumber(ARGV[number * 3])
  local allows = used[number] + cost <= limit + NEARLY
  local added = allowed == 1 and allows and cost or 0
  local more, retry = 0, 0
  if limit <= EXACT then
    local log = logs[number]
    if not allows then
      -- until as many of the oldest as are too many are older than the window
      local many = used[number] + cost - limit
      retry = many <= used[number] and unpack('>I6', log, many * 6 - 5) + window - now or window
    elseif added > 0 then
      log = log .. (added == 1 and pack('>I6', now) or string.rep(pack('>I6', now), added))
      redis.call('SET', KEYS[number], 'L' .. log, 'PX', window)
    end
    more = log ~= '' and unpack('>I6', log) + window - now or 0
  else
    local index = floor(now / window)
    local elapsed, before, latter = now - index * window, befores[number], latters[number] + added
    if not allows then
      retry = until_room(limit - cost, before, latter, elapsed, window)
    elseif added > 0 then
      redis.call('SET', KEYS[number], pack('>c1I6I4I4', 'C', index, before, latter), 'PX', 2 * window - elapsed)
    end
    local after = used[number] + added
    more = after > 0 and until_room(math.max(0, ceil(after - NEARLY) - 1), before, latter, elapsed, window) or 0
  end
  local at = number * 4
  answer[at - 2] = allows and 1 or 0
  answer[at - 1] = math.max(0, floor(limit - used[number] - added + NEARLY))
  answer[at] = more
  answer[at + 1] = retry
end
return answer
