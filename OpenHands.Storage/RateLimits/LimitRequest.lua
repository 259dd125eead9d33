-- Decides on a request under all its policies at once. It is allowed when all that are enforced allow it; only then it counts.
-- Up to a limit of 100 a key holds the time of every request of the last window ('L', then 6 bytes each, in ms). Above it, one number:
-- the count of the window before times 2^26 plus that of the present window, whose end the key outlives by one more window.
-- What goes in and out is packed: tables and many arguments take Redis longer than to count.
-- KEYS[1…] one key for each policy
-- ARGV[1]  what the request costs, 1 or more
-- ARGV[2…] each policy: its limit, negative where it only watches, in 4 bytes, and its window, ms in 6 bytes
-- returns  three numbers of 6 bytes for each policy. Up to 100: requests of the last window, ms until the oldest of them is older, 0 or
--          ms until this request would be allowed. Above: the number in the key with this request, ms that the key lives, 0 allows
--          or 1 refuses

local EXACT, UNIT, NEARLY = 100, 67108864, 1e-9 -- nearly: fractions that should be whole
local answer, allowed, waits, logs, now = '', true, nil, nil, nil

for number = 1, #KEYS do
  local limit, window = struct.unpack('>i4I6', ARGV[number + 1])
  local watches = limit < 0
  if watches then
    limit = -limit
  end
  local state, left, wait = nil, nil, 0
  if limit > EXACT then
    -- Counted first and taken back if it is refused: nearly every request is allowed.
    state, left = redis.pcall('INCRBY', KEYS[number], ARGV[1]), redis.call('PTTL', KEYS[number])
    if left <= window or left > 2 * window or type(state) == 'table' then
      if left < 0 or type(state) == 'table' then
        state, left = tonumber(ARGV[1]), 2 * window -- nothing, or the log of a limit that was smaller
      elseif left > 2 * window then
        left = 2 * window -- the clock was set back: what is counted is of now
      else
        state, left = (state % UNIT - ARGV[1]) * UNIT + ARGV[1], left + window
      end
      redis.call('SET', KEYS[number], state, 'PX', left)
    end
    local present = state % UNIT
    if (state - present) / UNIT * (left / window - 1) + present > limit + NEARLY then
      wait = 1
    end
  else
    if not now then
      local time = redis.call('TIME')
      now, logs = time[1] * 1000 + math.floor(time[2] / 1000), {}
    end
    local log = redis.call('GET', KEYS[number])
    if not log or log:byte() ~= 76 then
      log = 'L'
    end
    state = (#log - 1) / 6
    if state > 0 and struct.unpack('>I6', log, state * 6 - 4) > now then
      -- The clock was set back: what seems to come was now.
      local kept = { 'L' }
      for index = 1, state do
        kept[index + 1] = struct.pack('>I6', math.min(now, (struct.unpack('>I6', log, index * 6 - 4))))
      end
      log = table.concat(kept)
    end
    local oldest = state > 0 and struct.unpack('>I6', log, 2) or now
    if oldest <= now - window then
      local first, last = 2, state + 1
      while first < last do
        local middle = math.floor((first + last) / 2)
        if struct.unpack('>I6', log, middle * 6 - 4) > now - window then
          last = middle
        else
          first = middle + 1
        end
      end
      log = 'L' .. log:sub(first * 6 - 4)
      state = (#log - 1) / 6
      oldest = state > 0 and struct.unpack('>I6', log, 2) or now
    end
    logs[number] = log
    left = oldest + window - now
    local many = state + ARGV[1] - limit -- as many of the oldest are too many
    if many > 0 then
      wait = many <= state and struct.unpack('>I6', log, many * 6 - 4) + window - now or window
    end
  end
  if wait > 0 then
    waits = waits or {}
    waits[number] = true
    allowed = allowed and watches
  end
  answer = answer .. struct.pack('>I6I6I6', state, left, wait)
end

if waits or logs then
  for number = 1, #KEYS do
    local counts, log = allowed and not (waits and waits[number]), logs and logs[number]
    if log and counts then
      local _, window = struct.unpack('>i4I6', ARGV[number + 1])
      redis.call('SET', KEYS[number], log .. string.rep(struct.pack('>I6', now), ARGV[1]), 'PX', window)
    elseif not log and not counts then
      redis.call('DECRBY', KEYS[number], ARGV[1])
    end
  end
end
return answer
