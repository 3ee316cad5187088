-- Secrets are masked before a line leaves its node: who may read logs may not log in as somebody else.
-- Lua's patterns know no alternatives, so names of secrets are looked up, not matched.

local MASK = "[masked]"

-- Endings of names whose value is a secret, in lower case: `token` covers `JUPYTERHUB_API_TOKEN` and `x-xsrftoken`.
local SECRETS = {
  "token", "password", "passwd", "passphrase", "secret", "secretkey", "apikey", "api_key", "api-key", "accesskey",
  "access_key", "private_key", "secret_key", "secret_access_key", "crypt_key", "_xsrf", "credential",
}
-- Names of headers whose whole value is secret.
local HEADERS = { ["cookie"] = true, ["set-cookie"] = true }
-- What may stand before the secret in `Authorization`.
local SCHEMES = { token = true, bearer = true, basic = true, digest = true, negotiate = true, apikey = true }
-- One of these is in every text with a named secret, so that most texts are read once only.
local STEMS = { "token", "passw", "passphrase", "secret", "key", "xsrf", "credential", "cookie", "authorization", "code=" }
-- Values that tell nothing.
local HARMLESS = {
  ["none"] = true, ["null"] = true, ["nil"] = true, ["true"] = true, ["false"] = true,
  ["[secret]"] = true, ["[redacted]"] = true, ["<redacted>"] = true, ["***"] = true, ["*****"] = true,
}
-- How tokens begin that name their maker, what follows, and how long they are at least.
local MAKERS = {
  { "gh", "%f[%w]gh[pousr]_%w+", 30 },
  { "github_pat_", "%f[%w]github_pat_[%w_]+", 30 },
  { "glpat-", "%f[%w]glpat%-[%w_%-]+", 20 },
  { "hf_", "%f[%w]hf_%w+", 30 },
  { "xox", "%f[%w]xox[abprs]%-[%w%-]+", 20 },
  { "AKIA", "%f[%w]AKIA[%u%d]+", 20 },
  { "AIza", "%f[%w]AIza[%w_%-]+", 39 },
  -- In names of pods and packages too, so it must have capital letters and digits.
  { "sk-", "%f[%w]sk%-[%w_%-]+", 23, true },
  -- A signed JSON token: three parts with points between.
  { "eyJ", "%f[%w]eyJ[%w_%-]+%.[%w_%-]+%.[%w_%-]*", 30 },
}
-- Where commands take a password without naming it.
local OPTIONS = {
  {
    "curl", "%f[%w]curl%s[^\r\n|;]*",
    { "(%s%-[uU]%s*[\"']?[^%s:\"']+:)[^%s\"']+", "(%s%-%-[%l%-]*user[%s=]+[\"']?[^%s:\"']+:)[^%s\"']+" },
  },
  { "mysql", "%f[%w]mysql%w*%s[^\r\n|;&]*", { "(%s%-p)%S+" } },
  { "mariadb", "%f[%w]mariadb[%w%-]*%s[^\r\n|;&]*", { "(%s%-p)%S+" } },
}
local QUESTIONS = { "([Pp]assword for [^%s:]+:[ \t]*)(%S+)", "([Pp]assword for user [^%s:]+:[ \t]*)(%S+)" }
local PRIVATE_KEY = "[%u%d ]*PRIVATE KEY%-%-%-%-%-"
-- Long hexadecimal digits that are no secrets: what checksums and containers are called.
local PUBLIC = { "sha256:", "sha512:", "sha1:", "md5:", "sha256-", "containerd://", "cri%-o://", "docker://" }
-- JupyterHub's tokens have 32 hexadecimal digits, those of this platform's own keys 64.
local SHORTEST_HEX = 32

local function is_secret(word)
  for _, ending in ipairs(SECRETS) do
    if word:sub(-#ending) == ending then
      return true
    end
  end
  return false
end

-- Where a value begins and ends, after the sign that gives it; nothing, if there is no value.
local function value_at(text, from)
  local _, opened, quote = text:find("^%s*\\?([\"'])", from)
  if quote then
    local first = opened + 1
    local last = text:find(quote, first, true)
    while last and text:sub(last - 1, last - 1) == "\\" and text:sub(first - 2, first - 2) ~= "\\" do
      last = text:find(quote, last + 1, true)
    end
    last = (last or #text + 1) - 1
    if text:sub(last, last) == "\\" then
      last = last - 1
    end
    return first, last
  end
  local first, last = text:find("[^%s&\"'\\]+", from)
  if not first or not text:sub(from, first - 1):find("^[ \t]*$") then
    return nil
  end
  while last > first and text:sub(last, last):find("[,;%)%]}>]") do
    last = last - 1
  end
  return first, last
end

-- Where the value of a name that stands from `first` to `last` begins and ends.
local function value_of(text, word, first, last)
  local _, sign = text:find("^\\?[\"']?%s*=>?", last + 1)
  if not sign then
    _, sign = text:find("^\\?[\"']?%s*:", last + 1)
    -- A scheme, as in `token://`, gives no value.
    if sign and text:sub(sign + 1, sign + 2) == "//" then
      return nil
    end
  end
  if not sign then
    local _, escaped = text:find("^%%3[Dd]", last + 1)
    if escaped then
      return text:find("^[%w_%-%.~]+", escaped + 1)
    end
    -- A tuple of a name and its value: ('Authorization', 'token …')
    _, sign = text:find("^[\"'],%s*[b]?%f[\"']", last + 1)
    -- An option: --password …
    if not sign and text:sub(first - 2, first - 1) == "--" then
      _, sign = text:find("^%s+", last + 1)
    end
    if not sign then
      return nil
    end
  end
  if HEADERS[word] and not text:find("^%s*\\?[\"']", sign + 1) then
    return text:find("%f[%S][^\r\n]+", sign + 1)
  end
  local begins, stop = value_at(text, sign + 1)
  if begins and word:sub(-13) == "authorization" then
    local scheme, gap = text:match("^(%a+)(%s+)%S", begins)
    if scheme and SCHEMES[scheme:lower()] then
      begins = begins + #scheme + #gap
      _, stop = text:find("^[^%s\"'\\]+", begins)
    end
  end
  return begins, stop
end

local function has_stem(lower)
  for _, stem in ipairs(STEMS) do
    if lower:find(stem, 1, true) then
      return true
    end
  end
  return false
end

local function mask_named(text)
  local lower = text:lower()
  if not has_stem(lower) then
    return text
  end
  local parts, copied, from = {}, 1, 1
  while true do
    local first, last = lower:find("[%a_][%w_%-]*", from)
    if not first then
      break
    end
    local word, before = lower:sub(first, last), text:sub(first - 1, first - 1)
    from = last + 1
    local secret = is_secret(word) or HEADERS[word] or word:sub(-13) == "authorization"
      or (word == "code" and (before == "?" or before == "&"))
    if secret then
      local begins, ends = value_of(text, word, first, last)
      local masked = begins and lower:sub(begins, begins + #MASK - 1) == MASK
      if begins and ends >= begins and not masked and not HARMLESS[lower:sub(begins, ends)] then
        parts[#parts + 1] = text:sub(copied, begins - 1)
        parts[#parts + 1] = MASK
        copied, from = ends + 1, ends + 1
      end
    end
  end
  parts[#parts + 1] = text:sub(copied)
  return table.concat(parts)
end

-- The password of an address, which stands between a name and the @.
local function mask_addresses(text)
  local parts, copied, from = {}, 1, 1
  while true do
    local _, slashes = text:find("://", from, true)
    if not slashes then
      break
    end
    from = slashes + 1
    local name, password = text:match("^([^/%s:@\"']*:)([^/%s@\"']+)@", from)
    if name then
      parts[#parts + 1] = text:sub(copied, slashes) .. name .. MASK
      copied = from + #name + #password
      from = copied
    end
  end
  parts[#parts + 1] = text:sub(copied)
  return table.concat(parts)
end

local function long_enough(shortest, mixed)
  return function(found)
    if #found >= shortest and (not mixed or (found:find("%u") and found:find("%d"))) then
      return MASK
    end
  end
end

-- What says by itself that it is a token: `Bearer …`, and the tokens of well-known makers.
local function mask_makers(text)
  text = text:gsub("%f[%a]([Bb]earer%s+)([%w%-%._~%+/=]+)", function(scheme, value)
    if #value >= 16 then
      return scheme .. MASK
    end
  end)
  for _, maker in ipairs(MAKERS) do
    local beginning, pattern, shortest, mixed = maker[1], maker[2], maker[3], maker[4]
    if text:find(beginning, 1, true) then
      text = text:gsub(pattern, long_enough(shortest, mixed))
    end
  end
  return text
end

-- What stands in a command's options, or after the question for it, without a name.
local function mask_commands(text)
  for _, option in ipairs(OPTIONS) do
    local command, line, values = option[1], option[2], option[3]
    if text:find(command, 1, true) then
      text = text:gsub(line, function(words)
        for _, value in ipairs(values) do
          words = words:gsub(value, "%1" .. MASK)
        end
        return words
      end)
    end
  end
  for _, question in ipairs(QUESTIONS) do
    text = text:gsub(question, function(asked, answer)
      -- Of a question about an address the colon is no end.
      if answer:sub(1, 2) ~= "//" then
        return asked .. MASK
      end
    end)
  end
  return text
end

-- Private keys in PEM, in whole, or line by line as they come from a container: 60 to 76 characters of base64 alone.
local function mask_private_keys(text)
  local bare = #text <= 80 and text:match("^%s*([%w+/]+=*)%s*$")
  if bare and #bare >= 60 and #bare <= 76 and bare:find("%u") and bare:find("%l") then
    return MASK
  end
  local parts, copied = {}, 1
  while true do
    local _, begins = text:find("%-%-%-%-%-BEGIN " .. PRIVATE_KEY, copied)
    if not begins then
      break
    end
    parts[#parts + 1] = text:sub(copied, begins) .. MASK
    copied = text:find("%-%-%-%-%-END " .. PRIVATE_KEY, begins + 1) or #text + 1
  end
  parts[#parts + 1] = text:sub(copied)
  return table.concat(parts)
end

local function is_public(text, first)
  local before = text:sub(math.max(1, first - 16), first - 1)
  for _, name in ipairs(PUBLIC) do
    if before:find(name .. "$") then
      return true
    end
  end
  return false
end

local function mask_hexadecimals(text)
  local parts, copied, from = {}, 1, 1
  while true do
    local first, last = text:find("%f[%w]%x+%f[%W]", from)
    if not first then
      break
    end
    from = last + 1
    if last - first + 1 >= SHORTEST_HEX and not is_public(text, first) then
      parts[#parts + 1] = text:sub(copied, first - 1)
      parts[#parts + 1] = MASK
      copied = last + 1
    end
  end
  parts[#parts + 1] = text:sub(copied)
  return table.concat(parts)
end

-- A text without the secrets that it names or that look like one; without colours too, which would hide them.
function mask(text)
  text = text:gsub("\27%[[%d;]*m", "")
  text = mask_commands(mask_named(mask_private_keys(text)))
  return mask_hexadecimals(mask_makers(mask_addresses(text)))
end

-- The filter: masks the line. One that can't be read is lost rather than shipped as it is.
function mask_record(_, timestamp, record)
  local line = record["log"]
  if type(line) ~= "string" then
    return 0, timestamp, record
  end
  -- Lines that were put together end with a line break.
  local read, masked = pcall(mask, (line:gsub("[\r\n]+$", "")))
  record["log"] = read and masked or MASK
  return 2, timestamp, record
end
