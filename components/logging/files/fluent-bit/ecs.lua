-- One schema for every line, the Elastic Common Schema, and an id by which a line sent twice is kept once.

local bit = require("bit")

-- What this instance, cluster and node are called.
local INSTANCE = os.getenv("ELAB_STREAMS")
local CLUSTER = os.getenv("ELAB_CLUSTER")
local NODE = os.getenv("ELAB_NODE")
-- What is older when it is read is left out, in seconds: an index goes by when it was filled, so that a line stays as much
-- longer than the others as it came later. Three days: an outage over a weekend loses nothing that its node still has.
local OLDEST = 3 * 86400
-- The version of the schema that these fields are of.
local VERSION = "9.0.0"
local USERNAME = "hub.jupyter.org/username"
-- Labels that tell pods apart; the others would make a field each.
local LABELS = {
  "app.kubernetes.io/name", "app.kubernetes.io/component", "app.kubernetes.io/part-of", "elab.dev/profile",
}
-- Levels by what programs write.
local LETTERS = { D = "debug", I = "info", W = "warning", E = "error", C = "critical", F = "critical" }
local WORDS = {
  trace = "debug", debug = "debug", info = "info", notice = "info", warn = "warning", warning = "warning",
  err = "error", error = "error", critical = "critical", crit = "critical", fatal = "critical", panic = "critical",
}

-- The level that a line states; nothing, if it states none.
local function level(line)
  -- JupyterHub and Jupyter: [I 2026-01-31 …; Kubernetes' programs: I0131 …
  local letter = line:match("^%[([DIWEC]) %d%d%d%d%-") or line:match("^([IWEF])%d%d%d%d %d%d:")
  if letter then
    return LETTERS[letter]
  end
  -- The proxy: 2026-01-31T10:00:00.000Z [ConfigProxy] info: …
  local word = line:match("^[%d%-T:%.]+Z? %[%w+%] .-(%a+): ")
  -- Prometheus and Grafana: … level=info …; Elasticsearch: "log.level":"INFO"; Kibana: "log":{"level":"INFO"
    or line:match("%f[%w]level=\"?(%a+)") or line:match("\"[%w%.]*level\"%s*:%s*\"(%a+)\"")
  if not word and line:find("^Traceback %(most recent call last%):") then
    return "error"
  end
  return word and WORDS[word:lower()]
end

-- FNV-1a, 32 bits.
local function hash(text)
  local value = bit.tobit(2166136261)
  for index = 1, #text do
    value = bit.bxor(value, text:byte(index))
    -- Times 16777619, which is 2^24 + 403: the product itself is more than a double holds.
    value = bit.tobit(bit.lshift(value, 24) + value * 403)
  end
  return bit.tohex(value)
end

-- Where the line stands: container, stream, time, place in its file, and its text, since some runtimes write one time
-- for many lines.
local function identity(container, time, record)
  local place = string.format("%d", record["offset"] or 0)
  local stream = record["stream"] == "stderr" and "e" or "o"
  return string.format("%s-%d-%09d-%s%s-%s", container:sub(1, 16), time.sec, time.nsec, stream, place, hash(record["log"]))
end

local function chosen_labels(labels)
  local chosen = {}
  for _, name in ipairs(LABELS) do
    chosen[name] = labels[name]
  end
  return next(chosen) and chosen or nil
end

-- Who the line's server belongs to.
local function person(room, kubernetes)
  if room ~= "people" then
    return nil
  end
  -- The label is a slug; the annotation is the name as people know it.
  local name = (kubernetes["annotations"] or {})[USERNAME] or (kubernetes["labels"] or {})[USERNAME]
  return name and { name = name } or nil
end

-- The filter: the record as Elasticsearch gets it. The time goes beside it.
function to_ecs(tag, time, record)
  if os.time() - time.sec > OLDEST then
    return -1, time, record
  end
  local room = tag:match("^kube%.(%w+)%.")
  local kubernetes = record["kubernetes"] or {}
  local labels = kubernetes["labels"] or {}
  -- What the tag says is there even where the API server did not answer.
  local pod, namespace, name, id = tag:match("containers%.(.+)_([^_]+)_(.+)%-(%x+)%.log$")
  local dataset = "kubernetes." .. room
  return 2, time, {
    message = record["log"],
    stream = record["stream"],
    ecs = { version = VERSION },
    event = { id = identity(id, time, record), dataset = dataset, kind = "event" },
    data_stream = { type = "logs", dataset = dataset, namespace = INSTANCE },
    log = { level = level(record["log"]), offset = record["offset"], file = { path = record["path"] } },
    service = { name = labels["app.kubernetes.io/component"] or name },
    user = person(room, kubernetes),
    host = { name = NODE },
    cluster = { name = CLUSTER },
    container = { id = id, name = name, image = { name = kubernetes["container_image"] } },
    kubernetes = {
      namespace = namespace,
      pod = { name = pod, uid = kubernetes["pod_id"] },
      node = { name = NODE },
      container = { name = name },
      labels = chosen_labels(labels),
    },
  }
end
