"""What alerting does in one step on the server, in Lua; see `state.stores.redis_scripts`."""

CLAIM = """
-- KEYS: the claim. ARGV: owner, now, until; both in 20 digits, because a double rounds beyond 2^53.
local held = redis.call('HMGET', KEYS[1], 'owner', 'until')
if held[1] and held[1] ~= ARGV[1] and held[2] > ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'until', ARGV[3])
return 1
"""

RELEASE = """
-- KEYS: the claim. ARGV: owner.
if redis.call('HGET', KEYS[1], 'owner') == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0
"""

COMMIT = """
-- KEYS: progress, index, counter, per notice its own and the index of its delivery. ARGV: revision, body, per
-- notice decided_ms in 20 digits, id, delivery, content. Returns the revision that is in the way, or nothing.
local found = tonumber(redis.call('HGET', KEYS[1], 'revision') or '0')
if tonumber(ARGV[1]) ~= found + 1 then return found end
redis.call('HSET', KEYS[1], 'revision', ARGV[1], 'body', ARGV[2])
local at = 3
for i = 4, #KEYS, 2 do
    if redis.call('EXISTS', KEYS[i]) == 0 then
        local position = string.format('%016.0f', redis.call('INCR', KEYS[3]))
        local member = ARGV[at] .. ':' .. position .. ':' .. ARGV[at + 1]
        redis.call('HSET', KEYS[i], 'member', member, 'delivery', ARGV[at + 2], 'content', ARGV[at + 3])
        redis.call('ZADD', KEYS[2], 0, member)
        redis.call('ZADD', KEYS[i + 1], 0, member)
    end
    at = at + 4
end
return false
"""

SETTLE = """
-- KEYS: the notice, the indexes of all deliveries. ARGV: position of its delivery among those, its name, the
-- content. Returns 0 where there is no such notice.
local member = redis.call('HGET', KEYS[1], 'member')
if not member then return 0 end
redis.call('HSET', KEYS[1], 'delivery', ARGV[2], 'content', ARGV[3])
for i = 2, #KEYS do redis.call('ZREM', KEYS[i], member) end
redis.call('ZADD', KEYS[1 + ARGV[1]], 0, member)
return 1
"""

DROP = """
-- KEYS: the notice, its indexes. ARGV: its content as it was read.
if redis.call('HGET', KEYS[1], 'content') ~= ARGV[1] then return 0 end
local member = redis.call('HGET', KEYS[1], 'member')
redis.call('DEL', KEYS[1])
for i = 2, #KEYS do redis.call('ZREM', KEYS[i], member) end
return 1
"""
