"""What Redis does in one step; every script gets the same keys: those of the kept entries, the count and the news."""

# The epoch is a member of the set that it vouches for, so that one cannot be lost without the other.
_EPOCH = "local epoch = redis.call('ZRANGEBYSCORE', KEYS[1], '+inf', '+inf', 'LIMIT', 0, 1)[1]\n"

POSITION = (
    _EPOCH
    + """
local last = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)[1]
return {epoch or false, redis.call('GET', KEYS[2]) or '0', last and last[1] or '0-0'}
"""
)

INITIALISE = (
    _EPOCH
    + """
if epoch then return 0 end
redis.call('ZADD', KEYS[1], '+inf', ARGV[1])
return 1
"""
)

# ARGV: whether an epoch is needed, how many news are kept, seconds that the ended stay, then (end, entry)...
# The server's clock decides what has ended, so that one replica's wrong clock throws nothing away.
PUBLISH = (
    _EPOCH
    + """
if ARGV[1] == '1' and not epoch then return 0 end
for i = 4, #ARGV, 2 do
  redis.call('ZADD', KEYS[1], ARGV[i], ARGV[i + 1])
  local number = redis.call('INCR', KEYS[2])
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[2], '*', 'number', number, 'epoch', epoch or '', 'entry', ARGV[i + 1])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', redis.call('TIME')[1] - ARGV[3])
return 1
"""
)
