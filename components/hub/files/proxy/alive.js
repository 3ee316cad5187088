// Whether the proxy may live on, where it ends TLS itself: `node alive.js <port> <folder of tls.crt and tls.key>`.
// It reads its certificate once, so one that was renewed is served by a proxy that starts anew: exit code 1, as for one
// that gives no answer. A new pair that a proxy could not start with, or that browsers refuse today, ends nothing.
"use strict";
const { X509Certificate } = require("node:crypto");
const { readFileSync } = require("node:fs");
const https = require("node:https");
const { createSecureContext } = require("node:tls");

const [port, folder] = process.argv.slice(2);
const PATIENCE = 15000; // milliseconds; less than the probe's own, so that the reason is told

const die = (reason) => {
  console.error(reason);
  process.exit(1);
};

// The certificate that a proxy would serve that started now; none if it could not start, or should not.
const next = () => {
  try {
    const [cert, key] = ["tls.crt", "tls.key"].map((name) => readFileSync(`${folder}/${name}`));
    createSecureContext({ cert, key }); // as the proxy does: throws for half a file, another's key, a key too weak
    const found = new X509Certificate(cert);
    const now = Date.now();
    return Date.parse(found.validFrom) <= now && now < Date.parse(found.validTo) ? found : undefined;
  } catch {
    return undefined;
  }
};

// Nobody is identified here: the certificate bears the public name, and it is only compared.
const options = { host: "127.0.0.1", port, path: "/_chp_healthz", rejectUnauthorized: false, agent: false };
const request = https.get(options, (response) => {
  response.resume();
  const served = response.socket.getPeerCertificate().fingerprint256;
  response.on("end", () => {
    if (response.statusCode !== 200) die(`health: status ${response.statusCode}`);
    const wanted = next();
    if (wanted && wanted.fingerprint256 !== served) die("the certificate was renewed since the proxy started");
    process.exit(0);
  });
});
request.on("error", (error) => die(`health: ${error.message}`));
setTimeout(() => die(`health: no answer within ${PATIENCE / 1000} s`), PATIENCE);
