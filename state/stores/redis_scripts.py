"""What has to happen in one step on the server, in Lua.

A script runs alone, and one that the server refuses for want of memory is refused at its first write; so a
script that checks its keys before it writes keeps all or nothing
(https://redis.io/docs/latest/develop/programmability/eval-intro/).
"""

_DROP_AGED = """
-- Of a sorted set of texts that begin with a time in 20 digits, drop what is too far behind the last.
local function drop_aged(key, retention)
    local newest = redis.call('ZRANGE', key, -1, -1)[1]
    -- Exact to 2^53 milliseconds; times before 1970 are kept.
    local oldest = tonumber(string.sub(newest, 2, 20)) - tonumber(retention)
    if string.sub(newest, 1, 1) == '1' and oldest > 0 then
        redis.call('ZREMRANGEBYLEX', key, '[1', '(' .. string.format('1%019.0f', oldest))
    end
end
"""

PUT_REFERENCE = """
-- KEYS: reference, index of versions. ARGV: version, info, body, sha256.
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[1], 'info', ARGV[2], 'body', ARGV[3], 'sha256', ARGV[4])
return 1
"""

REPLACE_FIELD = """
-- KEYS: a hash. ARGV: the field, what it holds now or nothing where it is not there, what it shall hold.
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
"""

ADD_EVENTS = """
-- KEYS: per event its own, the index, the counter, the newest ends.
-- ARGV: per event the end, the id, the model version, the length of what follows, names and values of fields.
local new, at = 0, 1
for i = 1, #KEYS, 4 do
    if redis.call('EXISTS', KEYS[i]) == 0 then
        local position = string.format('%016.0f', redis.call('INCR', KEYS[i + 2]))
        redis.call('ZADD', KEYS[i + 1], 0, ARGV[at] .. ':' .. position .. ':' .. ARGV[at + 1])
        redis.call('HSET', KEYS[i], unpack(ARGV, at + 4, at + 3 + ARGV[at + 3]))
        new = new + 1
        if ARGV[at] > (redis.call('HGET', KEYS[i + 3], ARGV[at + 2]) or '') then
            redis.call('HSET', KEYS[i + 3], ARGV[at + 2], ARGV[at])
        end
    end
    at = at + 4 + ARGV[at + 3]
end
return new
"""

# Lua's unpack takes fewer than 8000 values (LUAI_MAXCSTACK).
ADD_SAMPLES = """
-- KEYS: per series its own, the index. ARGV: per series what creates it, in JSON, or nothing where it should
-- be there already; then per point the series' position, the time, the value.
-- Returns the positions of the series that should be there and are not; nothing is written then.
local n = #KEYS / 2
local kinds, missing = {}, {}
for i = 1, n do
    local kind = redis.call('TYPE', KEYS[2 * i - 1])['ok']
    if kind == 'none' then
        if ARGV[i] == '' then missing[#missing + 1] = i end
    elseif kind ~= 'TSDB-TYPE' then
        local name = KEYS[2 * i - 1]
        return redis.error_reply('WRONGTYPE ' .. name .. ' is of type ' .. kind .. ', no time series')
    end
    kinds[i] = kind
end
if #missing > 0 then return missing end
for i = 1, n do
    if ARGV[i] ~= '' then
        local key, wanted = KEYS[2 * i - 1], cjson.decode(ARGV[i])
        local new = kinds[i] == 'none'
        redis.call(new and 'TS.CREATE' or 'TS.ALTER', key, unpack(wanted.options))
        redis.call('SADD', KEYS[2 * i], key)
        for _, rule in ipairs(wanted.rules) do
            local to = key .. rule.suffix
            local fresh = redis.call('EXISTS', to) == 0
            if fresh then redis.call('TS.CREATE', to, unpack(rule.options)) end
            if fresh or new then
                redis.call('TS.CREATERULE', key, to, 'AGGREGATION', rule.aggregation, rule.bucket_ms)
            end
        end
    end
end
local batch = {}
for i = n + 1, #ARGV, 3 do
    local size = #batch
    batch[size + 1], batch[size + 2], batch[size + 3] = KEYS[2 * ARGV[i] - 1], ARGV[i + 1], ARGV[i + 2]
    if size >= 3000 or i + 3 > #ARGV then
        for _, answer in ipairs(redis.call('TS.MADD', unpack(batch))) do
            -- What is older than the retention is refused; it would be dropped at once.
            if type(answer) == 'table' and answer.err and not string.find(answer.err, 'retention') then
                return redis.error_reply(answer.err)
            end
        end
        batch = {}
    end
end
return missing
"""

PUT_EPISODES = """
-- KEYS: per episode its own, the index, the index of the open ones, the index of ends. ARGV: per episode id,
-- content, its end or nothing where it is open.
local at = 1
for i = 1, #KEYS, 4 do
    local id, done = ARGV[at], ARGV[at + 2] ~= ''
    redis.call('SET', KEYS[i], ARGV[at + 1])
    redis.call('SADD', KEYS[i + 1], id)
    redis.call(done and 'SREM' or 'SADD', KEYS[i + 2], id)
    if done then redis.call('ZADD', KEYS[i + 3], 0, ARGV[at + 2] .. ':' .. id) end
    at = at + 3
end
return 0
"""

DROP_EPISODE = """
-- KEYS: the episode, the index, the index of ends, who has seen which. ARGV: id, its content as it was read,
-- or nothing where it stays; the member in the index of ends.
if ARGV[2] ~= '' and redis.call('GET', KEYS[1]) == ARGV[2] then
    redis.call('DEL', KEYS[1])
    redis.call('SREM', KEYS[2], ARGV[1])
    redis.call('HDEL', KEYS[4], ARGV[1])
end
redis.call('ZREM', KEYS[3], ARGV[3])
return 0
"""

ADD_PANES = (
    _DROP_AGED
    + """
-- KEYS: per column its own, the index. ARGV: how many are kept; the retention or nothing; per column its
-- name; then per pane the column's position, start and reference, end and body.
local n = #KEYS / 2
for i = 1, n do
    local name = KEYS[2 * i - 1]
    local kind = redis.call('TYPE', name)['ok']
    if kind ~= 'none' and kind ~= 'zset' then
        return redis.error_reply('WRONGTYPE ' .. name .. ' is of type ' .. kind .. ', no sorted set')
    end
end
for i = 1, n do redis.call('SADD', KEYS[2 * i], ARGV[2 + i]) end
for i = n + 3, #ARGV, 3 do
    local key, place = KEYS[2 * ARGV[i] - 1], ARGV[i + 1]
    redis.call('ZREMRANGEBYLEX', key, '[' .. place .. ':', '(' .. place .. ';')
    redis.call('ZADD', key, 0, place .. ':' .. ARGV[i + 2])
end
for i = 1, n do
    local key = KEYS[2 * i - 1]
    redis.call('ZREMRANGEBYRANK', key, 0, -1 - ARGV[1])
    if ARGV[2] ~= '' then drop_aged(key, ARGV[2]) end
end
return 0
"""
)

ADD_MEMBERS = (
    _DROP_AGED
    + """
-- KEYS: per series its own, the index. ARGV: the retention or nothing; then per point the series' position,
-- the time in 20 digits, the value.
for i = 1, #KEYS, 2 do
    local kind = redis.call('TYPE', KEYS[i])['ok']
    if kind ~= 'none' and kind ~= 'zset' then
        return redis.error_reply('WRONGTYPE ' .. KEYS[i] .. ' is of type ' .. kind .. ', no sorted set')
    end
    if kind == 'none' then redis.call('SADD', KEYS[i + 1], KEYS[i]) end
end
for i = 2, #ARGV, 3 do
    local key, time = KEYS[2 * ARGV[i] - 1], ARGV[i + 1]
    redis.call('ZREMRANGEBYLEX', key, '[' .. time .. ':', '(' .. time .. ';')
    redis.call('ZADD', key, 0, time .. ':' .. ARGV[i + 2])
end
if ARGV[1] ~= '' then
    for i = 1, #KEYS, 2 do drop_aged(KEYS[i], ARGV[1]) end
end
return 0
"""
)
