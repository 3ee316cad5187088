// Secrets are masked before a line leaves its node. Long hexadecimal digits stay: on a node they are containers,
// machines and boots; those of the platform's own lines are masked by Fluent Bit.

var MASK = "[masked]";

// What ends the name of a secret: `token` covers API_TOKEN and x-xsrftoken.
var NAMES = "(?:token|passw(?:or)?d|passphrase|secret|api[_-]?key|access[_-]?key|private[_-]?key|secret[_-]?key" +
  "|crypt_key|_xsrf|credential)";
// A text in quotes, or one that ends at a space, an ampersand or a quote.
var VALUE = "(?:\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^'\\\\]|\\\\.)*'|\\\\\"[^\"\\\\]*|[^\\s&\"'\\\\]+)";

// What a command's words become: masked is what follows the first part of a match.
function within(pattern) {
  return function(words) {
    return words.replace(pattern, "$1" + MASK);
  };
}

var RULES = [
  // Private keys in PEM, in whole, or line by line: 60 to 76 characters of base64 alone.
  [/(-----BEGIN [A-Z\d ]*PRIVATE KEY-----)(?:(?!-----END )[\s\S])*/g, "$1" + MASK],
  [/^\s*(?=[^A-Z]{0,75}[A-Z])(?=[^a-z]{0,75}[a-z])(?=\S{60,76}\s*$)[A-Za-z\d+\/]+=*\s*$/g, MASK],
  // Authorization: Bearer …
  [/(authorization\\?["']?\s*[:=]\s*\\?["']?(?:(?:bearer|basic|token|digest|negotiate|apikey)\s+)?)[^\s"'\\]+/gi, "$1" + MASK],
  // Cookie: …
  [/((?:set-)?cookie\\?["']?\s*[:=]\s*)[^\r\n]+/gi, "$1" + MASK],
  // password=…, "token": "…", %26token%3D…
  [new RegExp("(" + NAMES + "\\\\?[\"']?\\s*(?:=>?|:(?!//)|%3D)\\s*)" + VALUE, "gi"), "$1" + MASK],
  // --password …
  [new RegExp("(--[\\w-]{0,40}" + NAMES + "\\s+)" + VALUE, "gi"), "$1" + MASK],
  // curl -u name:…, mysql -p…, and what follows the question for it.
  [/\bcurl\s[^\r\n|;]*/g, within(/(\s(?:-[uU]\s*|--[a-z-]{0,10}user[\s=]+)["']?[^\s:"']+:)[^\s"']+/g)],
  [/\b(?:mysql\w*|mariadb[\w-]*)\s[^\r\n|;&]*/g, within(/(\s-p)\S+/g)],
  [/(\bpassword for (?:user )?[^\s:]{1,60}:[ \t]*)(?!\/\/)\S+/gi, "$1" + MASK],
  // The password of an address, between its name and the @.
  [/(:\/\/[^\/\s:@"']*:)[^\/\s@"']+@/g, "$1" + MASK + "@"],
  [/(\bbearer\s+)[\w\-.~+\/=]{16,}/gi, "$1" + MASK],
  // Signed JSON tokens, and the tokens of well-known makers.
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, MASK],
  [/\b(?:gh[pousr]_\w{26,}|github_pat_\w{19,}|glpat-[\w-]{14,}|hf_\w{27,}|xox[abprs]-[\w-]{15,}|AKIA[A-Z\d]{16}|AIza[\w-]{35})/g, MASK],
  // Of several makers; in names of pods and packages too, so it must have the letters and digits of a key.
  [/\bsk-(?=[\w-]{0,200}[A-Z])(?=[\w-]{0,200}\d)[\w-]{20,}/g, MASK],
];

function mask(text) {
  for (var i = 0; i < RULES.length; i++) {
    text = text.replace(RULES[i][0], RULES[i][1]);
  }
  return text;
}

// The processor: a line that can't be read is lost rather than shipped as it is.
function process(event) {
  var line = event.Get("message");
  if (typeof line === "string") {
    try {
      event.Put("message", mask(line));
    } catch (error) {
      event.Put("message", MASK);
    }
  }
}
