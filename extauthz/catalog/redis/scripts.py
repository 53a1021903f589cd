"""What Redis does in one step."""

# KEYS: head, news.
POSITION = """
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
return {redis.call('GET', KEYS[1]), last and last[1] or '0-0'}
"""

# What a script has written stays if a later command of it fails. So whatever can fail comes before the first write that
# matters: what the user may not do (where the server tells), a hash that is none, a stream that takes no more.
#
# Another writer was faster if the head is not the very one that this writer read. Where there was none, whatever lies
# there is the rest of a catalog that is lost.
# KEYS: head, news, the hash of each kind. ARGV: head before, head after, transaction, how many are kept.
_MAY = """
local function ensure(...)
  if redis.acl_check_cmd and not redis.acl_check_cmd(...) then error({err = 'NOPERM a command of the script'}) end
end
ensure('XADD', KEYS[2], '*', 'transaction', '')
ensure('SET', KEYS[1], '')
"""
_COMPARE = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
if ARGV[1] == '' then
  redis.call('UNLINK', KEYS[2])
  for i = 3, kinds + 2 do redis.call('UNLINK', KEYS[i]) end
end
for i = 3, kinds + 2 do redis.call('HLEN', KEYS[i]) end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', 'transaction', ARGV[3])
"""
_SET = """
redis.call('SET', KEYS[1], ARGV[2])
return 1
"""

# ARGV goes on with (number of the hash, field, value) for each change; without a value, the field goes.
CHANGE = (
    """
local kinds = #KEYS - 2
"""
    + _MAY
    + """
ensure('HSET', KEYS[3], '', '')
ensure('HDEL', KEYS[3], '')
"""
    + _COMPARE
    + """
for i = 5, #ARGV, 3 do
  local hash = KEYS[2 + ARGV[i]]
  if ARGV[i + 2] == '' then
    redis.call('HDEL', hash, ARGV[i + 1])
  else
    redis.call('HSET', hash, ARGV[i + 1], ARGV[i + 2])
  end
end
"""
    + _SET
)

# KEYS go on with what was staged. ARGV: how many kinds there are, then (number of the hash, number of what was staged,
# how many fields it must have) for each. It expires if the writer took too long: then nothing is changed.
# The former hash is unlinked first, since RENAME would free it before it returns.
REPLACE = (
    """
local kinds = tonumber(ARGV[5])
for i = 6, #ARGV, 3 do
  if redis.call('HLEN', KEYS[2 + kinds + ARGV[i + 1]]) ~= tonumber(ARGV[i + 2]) then return -1 end
end
"""
    + _MAY
    + """
ensure('UNLINK', KEYS[3])
ensure('PERSIST', KEYS[3])
ensure('RENAME', KEYS[3], KEYS[3])
"""
    + _COMPARE
    + """
for i = 6, #ARGV, 3 do
  local hash, staged = KEYS[2 + ARGV[i]], KEYS[2 + kinds + ARGV[i + 1]]
  redis.call('UNLINK', hash)
  if ARGV[i + 2] ~= '0' then
    redis.call('PERSIST', staged)
    redis.call('RENAME', staged, hash)
  end
end
"""
    + _SET
)

# KEYS: what is staged. ARGV: seconds that it lives, then (field, value)...
STAGE = """
for i = 2, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
"""
