// What a line of the node is about, in the words of the Elastic Common Schema.

// RFC 5424's severities and the facilities of logins.
var LEVELS = ["critical", "critical", "critical", "error", "warning", "info", "info", "debug"];
var AUTH = 4;
var AUTHPRIV = 10;

function dataset(event) {
  var facility = event.Get("log.syslog.facility.code");
  if (event.Get("systemd.transport") === "kernel") {
    return "system.kernel";
  }
  return facility === AUTH || facility === AUTHPRIV ? "system.auth" : "system.syslog";
}

function process(event) {
  // Files say of themselves what they are; of the journal, each line does.
  var name = event.Get("event.dataset");
  if (!name) {
    name = dataset(event);
    event.Put("event.dataset", name);
  }
  event.Put("event.kind", "event");
  event.Put("data_stream.dataset", name);
  var severity = event.Get("log.syslog.priority");
  if (severity !== null && LEVELS[severity]) {
    event.Put("log.level", LEVELS[severity]);
  }
  var program = event.Get("log.syslog.appname") || event.Get("systemd.unit");
  if (program) {
    event.Put("service.name", program);
  }
}
